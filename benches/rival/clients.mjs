// The load on server.mjs: `node clients.mjs PORT PLAYERS SECONDS`. Everybody joins one room and sends one input a tick, at
// exact times of its own, by the script of `tickroom stress --inputs script`. Prints "begin" when the measurement begins
// and what was received when it ends.

import { WebSocket } from "ws";

const TICK_MS = 50;
const JOIN_ROOM = 10;
const ROOM_STATE_PATCH = 15;
const ROOM_DATA_BYTES = 17;

const [port, players, seconds] = process.argv.slice(2).map(Number);
const counted = { bytes: 0, patches: 0, inputs: 0 };
let counting = false;

async function join() {
    const answer = await fetch(`http://127.0.0.1:${port}/matchmake/joinOrCreate/movers`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
    });
    const seat = await answer.json();
    const { roomId, processId } = seat.room ?? seat;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${processId}/${roomId}?sessionId=${seat.sessionId}`, {
        perMessageDeflate: false,
    });
    socket.binaryType = "nodebuffer";
    await new Promise((joined, failed) => {
        socket.once("error", failed);
        socket.once("close", (code) => failed(new Error(`closed with ${code}`)));
        socket.on("message", (message) => {
            if (message[0] === JOIN_ROOM) {
                socket.send(Buffer.from([JOIN_ROOM]));
                joined();
            }
            if (counting) {
                // With the frame's header.
                counted.bytes += message.length + (message.length < 126 ? 2 : message.length < 65_536 ? 4 : 10);
                counted.patches += message[0] === ROOM_STATE_PATCH ? 1 : 0;
            }
        });
    });
    return socket;
}

/** As the pilot of `tickroom stress` plays its script: each level goes up and down in 32 steps. */
function row(player, step) {
    return [0, 1, 2].map((field) => {
        const saw = (step + player + field * 5) % 32;
        return -127 + Math.trunc((254 * Math.min(saw, 32 - saw)) / 16);
    });
}

const sockets = [];
for (let player = 0; player < players; player++) sockets.push(await join());

const start = performance.now();
sockets.forEach((socket, player) => {
    const first = start + (player / players) * TICK_MS;
    let step = 0;
    const act = () => {
        step += 1;
        socket.send(Buffer.from([ROOM_DATA_BYTES, 0, ...row(player, step).map((level) => level & 0xff)]));
        counted.inputs += counting ? 1 : 0;
        setTimeout(act, first + step * TICK_MS - performance.now());
    };
    setTimeout(act, first - performance.now());
});

setTimeout(() => {
    counting = true;
    console.log("begin");
    const begin = performance.now();
    setTimeout(() => {
        console.log("end " + JSON.stringify({ ...counted, seconds: (performance.now() - begin) / 1000 }));
        process.exit();
    }, seconds * 1000);
}, 1500);
