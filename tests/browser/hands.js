// What hands do to a page and what is seen of it: the ship's controls, and where the focus is.

import { until } from './harness.js';

/** What the controls ask of the ship, once it is so; the ship must be there. */
export function wants(person, what, wanted) {
  let last;
  return until(`${what}: ${JSON.stringify(wanted)}`, async () => {
    last = await person.page.evaluate(() => window.tickroom.wants);
    return Object.entries(wanted).every(([name, level]) => last[name] === level);
  }, 5000).catch((error) => { throw new Error(`${error.message}, but ${JSON.stringify(last)}`); });
}

/** What has the focus: its id or text; whether it can be seen and used, and whether it is marked. */
export function focus(person) {
  return person.page.evaluate(() => {
    const element = document.activeElement;
    const { x, y, width, height } = element.getBoundingClientRect();
    const at = document.elementFromPoint(x + width / 2, y + height / 2);
    const seen = at !== null && (element.contains(at) || at.contains(element)) && element !== document.body;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { is: element.id || element.name || element.textContent, seen, marked: outlineStyle !== 'none' && outlineWidth !== '0px' };
  });
}

export async function focused(person, is) {
  let last;
  return until(`the focus is on ${is}`, async () => {
    last = await focus(person);
    return last.is === is && last.seen && last;
  }, 5000).catch((error) => { throw new Error(`${error.message}, but ${JSON.stringify(last)}`); });
}
