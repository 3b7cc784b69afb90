// The net panel: what the connection does, over time and in numbers, switches for what hides it, and sliders that make it
// worse.

const EVERY_MS = 200;
const SAMPLES = 140;

/** What can be switched off, and what one then sees. */
const TECHNIQUES = [
  ['prediction', 'Prediction', 'Your ship answers only when the server has'],
  ['smoothing', 'Smoothing', 'Corrections of your ship jump'],
  ['interpolation', 'Interpolation', 'Others move in steps'],
  ['lagCompensation', 'Lag compensation', 'Beams are judged where others are now, not where you saw them'],
];

/**
 * What can be made worse: the name in `Trouble` of client/net/lag.js, and from where to where in which steps, in ms.
 * @type {[keyof Trouble, string, string, number, number, number, number][]}
 */
const TROUBLES = [
  ['rtt', 'Delay', 'There and back: what a server further away would take longer', 0, 500, 10, 0],
  ['jitter', 'Jitter', 'Each way is so uneven; at most the delay', 0, 200, 10, 0],
  ['stall', 'Stalls of', 'Nothing comes through for so long', 0, 1000, 50, 0],
  ['stallEvery', 'every', 'From one stall to the next', 2000, 10_000, 500, 5000],
];

/** @typedef {import('../../net/lag.js').Trouble} Trouble */

export class NetGraph {
  /**
   * @param {HTMLElement} root
   * @param {(technique: string, on: boolean) => void} onSwitch
   * @param {(on: boolean) => void} onGhost
   * @param {(trouble: Trouble) => Trouble} onTrouble gives what the connection will be, which may be less
   */
  constructor(root, onSwitch, onGhost, onTrouble) {
    this.#root = root;
    this.#canvas = /** @type {HTMLCanvasElement} */ (root.querySelector('canvas'));
    this.#numbers = /** @type {HTMLElement} */ (root.querySelector('dl'));
    const box = /** @type {HTMLElement} */ (root.querySelector('#net-switches'));
    for (const [technique, name, why] of TECHNIQUES) {
      box.append(this.#switch(name, why, true, (on) => onSwitch(technique, on)));
    }
    box.append(this.#switch('Server ghost', 'Shows where the server has your ship', false, onGhost));
    this.#sliders(/** @type {HTMLElement} */ (root.querySelector('#net-lag')), onTrouble);
  }

  #root;
  #canvas;
  #numbers;
  /** @type {Map<string, HTMLElement>} */
  #values = new Map();
  #last = 0;
  #rtt = new Float32Array(SAMPLES);
  #rate = new Float32Array(SAMPLES);
  #late = new Float32Array(SAMPLES);
  #at = 0;

  get shown() {
    return !this.#root.hidden;
  }

  /** @param {boolean} on */
  show(on) {
    this.#root.hidden = !on;
    this.#last = 0;
  }

  /**
   * @param {string} name
   * @param {string} why
   * @param {boolean} on
   * @param {(on: boolean) => void} act
   * @returns {HTMLLabelElement}
   */
  #switch(name, why, on, act) {
    const label = document.createElement('label');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = on;
    box.addEventListener('change', () => act(box.checked));
    label.title = why;
    label.append(box, name);
    return label;
  }

  /**
   * @param {HTMLElement} box
   * @param {(trouble: Trouble) => Trouble} act
   */
  #sliders(box, act) {
    /** @type {Trouble} */
    const wanted = { rtt: 0, jitter: 0, stall: 0, stallEvery: 0 };
    /** @type {Map<keyof Trouble, HTMLOutputElement>} */
    const outputs = new Map();
    const tell = () => {
      const real = act(wanted);
      for (const [name, output] of outputs) {
        // Without stalls there is no time between them; the slider still says what it would be.
        const ms = name === 'stallEvery' ? wanted.stallEvery : real[name];
        output.value = name === 'stallEvery' ? `${(ms / 1000).toFixed(1)} s` : `${ms} ms`;
      }
    };
    for (const [name, text, why, min, max, step, value] of TROUBLES) {
      const label = document.createElement('label');
      const slider = document.createElement('input');
      const output = document.createElement('output');
      Object.assign(slider, { type: 'range', name, min: `${min}`, max: `${max}`, step: `${step}`, value: `${value}` });
      wanted[name] = value;
      outputs.set(name, output);
      slider.addEventListener('input', () => {
        wanted[name] = slider.valueAsNumber;
        tell();
      });
      label.title = why;
      label.append(text, slider, output);
      box.append(label);
    }
    tell();
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  #say(name, value) {
    let cell = this.#values.get(name);
    if (cell === undefined) {
      const term = document.createElement('dt');
      term.textContent = name;
      cell = document.createElement('dd');
      this.#numbers.append(term, cell);
      this.#values.set(name, cell);
    }
    if (cell.textContent !== value) cell.textContent = value;
  }

  /**
   * @param {import('../../net/client.js').Client} client
   * @param {number} now milliseconds
   * @param {number} fps frames per second
   */
  update(client, now, fps) {
    if (now - this.#last < EVERY_MS) return;
    this.#last = now;
    const s = client.stats();
    this.#rtt[this.#at] = s.rtt ?? 0;
    this.#rate[this.#at] = s.snapshotRate ?? 0;
    this.#late[this.#at] = s.lateness ?? 0;
    this.#at = (this.#at + 1) % SAMPLES;
    if (!this.shown) return;
    this.#say('Round trip', `${fixed(s.rtt, 0)} ms, jitter ${fixed(s.jitter, 1)}`);
    this.#say('Snapshots', `${fixed(s.snapshotRate, 0)} /s, ${fixed(fps, 0)} frames/s`);
    this.#say('Down, up', `${bytes(s.bytesDown)}, ${bytes(s.bytesUp)}`);
    this.#say('Server tick', `${fixed(s.lateness, 1)} ms late, ${fixed(s.skipped, 0)} skipped`);
    this.#say('Others shown', `${fixed(s.interpolationDelay, 0)} ms ago, ${fixed((s.underruns ?? 0) * 100, 1)} % guessed`);
    this.#say('Inputs', `${fixed(s.inputLead, 0)} ms ahead, margin ${fixed(s.margin, 0)} ticks`);
    this.#say('Prediction', `off by ${fixed(s.predictionError, 2)} u, ${fixed((s.exact ?? 0) * 100, 1)} % exact`);
    this.#say('Corrections', `${fixed(s.corrections, 0)}, last ${fixed(s.correction, 1)} u`);
    this.#say('Rewinds', `${fixed(s.replayed, 0)} ticks replayed, beam ${fixed(s.seenAgo, 0)} ms`);
    this.#say('Resyncs, rejoins', `${fixed(s.resyncs, 0)}, ${fixed(s.reconnects, 0)}`);
    this.#draw();
  }

  #draw() {
    const canvas = this.#canvas;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    ctx.clearRect(0, 0, width, height);
    const top = Math.max(60, ...this.#rtt) * 1.15;
    this.#line(ctx, this.#rtt, top, '#63efff', ratio);
    this.#line(ctx, this.#late, top, '#ff5c66', ratio);
    this.#line(ctx, this.#rate, 75, '#58e08c', ratio);
    ctx.font = `${10 * ratio}px system-ui, sans-serif`;
    ctx.fillStyle = '#63efff';
    ctx.fillText(`round trip (top ${Math.round(top)} ms)`, 0, 10 * ratio);
    ctx.fillStyle = '#58e08c';
    ctx.fillText('snapshots', 150 * ratio, 10 * ratio);
    ctx.fillStyle = '#ff5c66';
    ctx.fillText('lateness', 215 * ratio, 10 * ratio);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Float32Array} values
   * @param {number} top the value at the upper edge
   * @param {string} color
   * @param {number} ratio
   */
  #line(ctx, values, top, color, ratio) {
    const { width, height } = ctx.canvas;
    ctx.beginPath();
    for (let i = 0; i < SAMPLES; i++) {
      const value = values[(this.#at + i) % SAMPLES];
      ctx.lineTo((i / (SAMPLES - 1)) * width, height - ratio - Math.min(1, value / top) * (height - 14 * ratio));
    }
    ctx.strokeStyle = color;
    ctx.lineWidth = ratio * 1.2;
    ctx.stroke();
  }
}

/**
 * @param {number | null | undefined} value
 * @param {number} digits
 * @returns {string}
 */
function fixed(value, digits) {
  return typeof value === 'number' && Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/**
 * @param {number | undefined} perSecond
 * @returns {string}
 */
function bytes(perSecond) {
  return typeof perSecond === 'number' ? `${(perSecond / 1024).toFixed(1)} KiB/s` : '–';
}
