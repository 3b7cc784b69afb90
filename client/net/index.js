// Connection, clock, resume, and the client core that ties them to prediction and interpolation. README.md is the manual.

export { browserPlatform, browserTab } from './browser.js';
export { Client, createClient } from './client.js';
export { ServerClock } from './clock.js';
export { Connection } from './connection.js';
export { Lag } from './lag.js';
export { savedSeat, saveSeat, wishAllows } from './resume.js';
export { Session } from './session.js';
export { Tab } from './tab.js';
