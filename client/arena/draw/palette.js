// Colours, and the one rule behind them: blue-cyan is you and nobody else.
//
// The others take warm colours and greens, which every common kind of colour blindness tells from cyan; seats that
// share a colour differ in hull shape, and your own ship is the only filled one. Nothing is told by colour alone.

/** Your own ship, bolts, name and blip. */
export const SELF = '#63efff';

/** The others, by seat. */
export const OTHERS = [
  '#ff9c3f', '#ffe257', '#ff5c66', '#b6f24f', '#ff6fd0', '#c99bff',
  '#ffc69e', '#58e08c', '#ff8fae', '#d9b53e', '#f1ece0', '#e2773b',
];

/** What is nobody's. */
export const SPACE = '#05070f';
export const GRID = 'rgba(110, 150, 220, 0.085)';
export const WALL = '#4a7dff';
export const ROCK_LINE = '#8793ad';
export const ROCK_FILL = '#0e1424';
export const SHIELD = '#8fb7ff';
export const HULL = '#ff5c66';
export const HEAL = '#58e08c';
export const ENERGY = '#ffe257';
export const RAPID = '#ff9c3f';
export const MIGHT = '#ff6fd0';
export const WHITE = '#ffffff';

/** How many hull shapes there are: seats that share a colour differ in it. */
export const SHAPES = 4;

/**
 * @param {number} seat
 * @returns {string}
 */
export function seatColor(seat) {
  return OTHERS[((seat % OTHERS.length) + OTHERS.length) % OTHERS.length];
}

/**
 * @param {number} seat
 * @returns {number} 0 ..= SHAPES - 1
 */
export function seatShape(seat) {
  return (seat + Math.floor(seat / OTHERS.length)) % SHAPES;
}

/**
 * @param {string} hex `#rrggbb`
 * @param {number} alpha 0..1
 * @returns {string}
 */
export function withAlpha(hex, alpha) {
  const n = parseInt(hex.slice(1), 16);
  return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`;
}
