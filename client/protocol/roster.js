// Who sits where, kept right by Roster messages.

/** @typedef {import('./messages.js').Roster} RosterMessage */
/** @typedef {import('./messages.js').Occupant} Occupant */

/** Names by seat. */
export class RosterBook {
  constructor() {
    /** @type {Map<number, Occupant>} */
    this.seats = new Map();
    /** @type {Map<number, Occupant>} Who sat there last, where nobody does now. */
    this.former = new Map();
    this.version = 0;
  }

  /** Forgets all, as at a new session. */
  clear() {
    this.seats.clear();
    this.former.clear();
    this.version = 0;
  }

  /**
   * @param {RosterMessage} roster
   * @returns {boolean} false if it changes a version that this book does not have: then it is not applied
   */
  apply(roster) {
    if (roster.since === 0) this.seats.clear();
    else if (roster.since !== this.version) return false;
    for (const { seat, who } of roster.entries) {
      if (who !== null) {
        this.seats.set(seat, who);
        this.former.delete(seat);
        continue;
      }
      const gone = this.seats.get(seat);
      if (gone !== undefined) this.former.set(seat, gone);
      this.seats.delete(seat);
    }
    this.version = roster.version;
    return true;
  }
}
