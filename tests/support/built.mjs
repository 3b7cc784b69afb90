// Where cargo puts what it builds: that depends on `CARGO_TARGET_DIR`, `build.target-dir`, `build.target` and more, so cargo
// itself is asked, and builds what is not there yet.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The server. Another build of it, a release one say, by its path in `TESTS_PROGRAM`. */
export const tickroom = () => process.env.TESTS_PROGRAM ?? built('bin', 'tickroom');

/** The room behind a pipe, see `tests/netcode/room_pipe.rs`. Another build of it by its path in `TESTS_ROOM_PIPE`. */
export const roomPipe = () => process.env.TESTS_ROOM_PIPE ?? built('example', 'room_pipe');

/**
 * Builds a program of this repository; cargo knows when there is nothing to do.
 * @param {'bin' | 'example'} kind
 * @param {string} name
 * @returns {string} its path
 */
function built(kind, name) {
  const args = ['build', '--quiet', '--locked', `--${kind}`, name, '--message-format=json-render-diagnostics'];
  const said = execFileSync('cargo', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });
  const messages = said.toString().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const program = messages.find((message) => message.executable && message.target?.name === name)?.executable;
  if (!program) throw new Error(`cargo did not say where it put ${name}`);
  return program;
}
