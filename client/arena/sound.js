// A tiny synthesizer: every sound is an oscillator or noise with an envelope. Off until somebody switches it on.
//
// A browser may have no sound at all, may keep it back until somebody touches the page (a reload with the sound on), and
// may take it away at any time (a phone call, another app, headphones that go). While it does not run nothing is played,
// or all that was missed would sound at once, and each gesture asks for it again.

/** At most this many sounds at once: a brawl is loud enough. */
const VOICES_MAX = 14;

/**
 * Asks for what a browser may refuse, by an error now or later: sound is no reason to stop a match.
 * @param {() => Promise<void> | undefined} ask
 */
async function attempt(ask) {
  try {
    await ask();
  } catch {
    // It will be asked again.
  }
}

export class Sound {
  /**
   * @param {boolean} on
   * @param {{ AudioContext?: typeof AudioContext, webkitAudioContext?: typeof AudioContext }} window
   */
  constructor(on, window) {
    this.on = on;
    this.#window = window;
  }

  #window;
  /** @type {AudioContext | null} */
  #audio = null;
  /** @type {GainNode | null} */
  #out = null;
  /** @type {AudioBuffer | null} */
  #noise = null;
  #voices = 0;

  /** `off`, `none` (this browser has no sound), or what the browser says: `running`, `suspended`, `interrupted`. */
  get state() {
    if (!this.on) return 'off';
    return this.#audio?.state ?? 'none';
  }

  /** Browsers start sound only from a click, a touch or a key: call this from each. */
  wake() {
    if (!this.on || this.#runs) return;
    // One that the browser closed does not come back.
    if (this.#audio === null || this.#audio.state === 'closed') this.#open();
    // What it is suspended for may not be over: then the next gesture asks again.
    void attempt(() => this.#audio?.resume());
  }

  /** @returns {boolean} whether it is on now */
  toggle() {
    this.on = !this.on;
    if (this.on) this.wake();
    else void attempt(() => this.#audio?.suspend());
    return this.on;
  }

  get #runs() {
    return this.#audio !== null && this.#audio.state === 'running';
  }

  #open() {
    const { AudioContext = this.#window.webkitAudioContext } = this.#window;
    this.#audio = null;
    this.#voices = 0;
    if (AudioContext === undefined) return;
    try {
      const audio = new AudioContext();
      const out = audio.createGain();
      out.gain.value = 0.22;
      out.connect(audio.destination);
      const length = Math.floor(audio.sampleRate / 2);
      const noise = audio.createBuffer(1, length, audio.sampleRate);
      const samples = noise.getChannelData(0);
      for (let i = 0; i < length; i++) samples[i] = Math.random() * 2 - 1;
      this.#audio = audio;
      this.#out = out;
      this.#noise = noise;
    } catch {
      // No device, or too many pages that have one open: as if the browser had no sound, until the next gesture.
    }
  }

  /**
   * @param {string} kind of the event
   * @param {Record<string, number>} f its fields
   * @param {number} ownSeat
   * @param {import('./draw/camera.js').Camera} camera
   */
  event(kind, f, ownSeat, camera) {
    if (!this.on || !this.#runs) return;
    const x = f.x ?? f.from_x ?? camera.x;
    const y = f.y ?? f.from_y ?? camera.y;
    const far = Math.hypot(x - camera.x, y - camera.y) / (camera.halfWidth + 1);
    const loud = f.seat === ownSeat || f.by === ownSeat ? 1 : Math.max(0, 1 - far * 0.75) * 0.6;
    if (loud < 0.05) return;
    const pan = Math.max(-1, Math.min(1, (x - camera.x) / camera.halfWidth)) * 0.7;
    switch (kind) {
      case 'hit': this.#hiss(0.09, f.shielded !== 0 ? 2600 : 1300, loud * 0.6, pan); break;
      case 'kill': this.#hiss(0.5, 420, loud * 1.3, pan); this.#tone('sawtooth', 180, 30, 0.45, loud * 0.6, pan); break;
      case 'beam': if (f.seat !== ownSeat) this.#tone('sawtooth', 1500, 140, 0.26, loud * 0.5, pan); break;
      case 'dash': if (f.seat !== ownSeat) this.#hiss(0.2, 900, loud * 0.5, pan); break;
      case 'pickup': this.#tone('triangle', 520, 1050, 0.2, loud * 0.7, pan); break;
      case 'spawn': this.#tone('sine', 220, 660, 0.3, loud * 0.5, pan); break;
      case 'bump': this.#hiss(0.08, 500, Math.min(1, f.speed * 0.15) * loud, pan); break;
      case 'round_end': this.#tone('triangle', 660, 330, 0.7, 0.6, 0); break;
      case 'round_start': this.#tone('triangle', 440, 880, 0.4, 0.6, 0); break;
      default:
    }
  }

  /** The own beam. */
  ownBeam() {
    if (this.on && this.#runs) this.#tone('sawtooth', 1500, 140, 0.26, 0.5, 0);
  }

  /** The own dash. */
  ownDash() {
    if (this.on && this.#runs) this.#hiss(0.2, 900, 0.5, 0);
  }

  /**
   * A bolt leaves a ship.
   * @param {import('./scene.js').Shot} shot
   * @param {import('./draw/camera.js').Camera} camera
   */
  bolt(shot, camera) {
    if (!this.on || !this.#runs || !camera.sees(shot.x, shot.y, 0)) return;
    this.#tone('square', shot.own ? 880 : 620, 190, 0.085, shot.own ? 0.24 : 0.07, 0);
  }

  /**
   * @param {OscillatorType} type
   * @param {number} from hertz
   * @param {number} to hertz
   * @param {number} seconds
   * @param {number} loud
   * @param {number} pan
   */
  #tone(type, from, to, seconds, loud, pan) {
    const audio = /** @type {AudioContext} */ (this.#audio);
    const voice = audio.createOscillator();
    voice.type = type;
    voice.frequency.setValueAtTime(from, audio.currentTime);
    voice.frequency.exponentialRampToValueAtTime(to, audio.currentTime + seconds);
    this.#play(voice, voice, seconds, loud, pan);
  }

  /**
   * @param {number} seconds
   * @param {number} cutoff hertz
   * @param {number} loud
   * @param {number} pan
   */
  #hiss(seconds, cutoff, loud, pan) {
    const audio = /** @type {AudioContext} */ (this.#audio);
    const voice = audio.createBufferSource();
    voice.buffer = this.#noise;
    const filter = audio.createBiquadFilter();
    filter.type = 'lowpass';
    filter.frequency.value = cutoff;
    voice.connect(filter);
    this.#play(voice, filter, seconds, loud, pan);
  }

  /**
   * @param {AudioScheduledSourceNode} voice
   * @param {AudioNode} last the node to be shaped
   * @param {number} seconds
   * @param {number} loud
   * @param {number} pan
   */
  #play(voice, last, seconds, loud, pan) {
    if (this.#voices >= VOICES_MAX) return;
    const audio = /** @type {AudioContext} */ (this.#audio);
    const shape = audio.createGain();
    shape.gain.setValueAtTime(loud, audio.currentTime);
    shape.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + seconds);
    last.connect(shape);
    /** @type {AudioNode} */
    let end = shape;
    // An older Safari knows no sides.
    if (typeof audio.createStereoPanner === 'function') {
      const side = audio.createStereoPanner();
      side.pan.value = pan;
      end = shape.connect(side);
    }
    end.connect(/** @type {GainNode} */ (this.#out));
    this.#voices += 1;
    voice.onended = () => {
      // Those of a context that was closed do not count any more.
      if (audio === this.#audio) this.#voices -= 1;
      end.disconnect();
    };
    voice.start();
    voice.stop(audio.currentTime + seconds);
  }
}
