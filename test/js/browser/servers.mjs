// Servers of the binary under test, in the box that this process runs in.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

const tegata = process.env.TEGATA_BINARY ?? "tegata";
const running = new Set();

/** A server, its address without a slash at the end, and what lets one in. */
class Server {
	constructor(args) {
		this.dir = mkdtempSync(join(tmpdir(), "tegata-browser-"));
		this.args = args(this.dir);
		this.start();
	}

	start() {
		this.output = "";
		this.process = spawn(tegata, this.args, { stdio: ["ignore", "pipe", "pipe"] });
		this.ended = new Promise((resolve) => this.process.once("close", resolve));
		this.ended.then(() => running.has(this) && console.error(`the server ended too early (${this.process.exitCode ?? this.process.signalCode}):\n${this.output}`));
		for (const stream of [this.process.stdout, this.process.stderr]) {
			stream.on("data", (data) => {
				this.output += stripVTControlCharacters(String(data));
				this.heard?.();
			});
		}
		running.add(this);
	}

	/** Waits until the server has printed what a pattern finds. */
	async printed(pattern) {
		for (;;) {
			const found = this.output.match(pattern);
			if (found) return found;
			if (this.process.exitCode !== null) throw new Error(`the server ended before it printed ${pattern}:\n${this.output}`);
			await Promise.race([new Promise((resolve) => (this.heard = resolve)), this.ended]);
		}
	}

	async ready() {
		const [, url, token] = await this.printed(/(http:\/\/\S+)\/sign-in\?link=(\S+)/);
		this.url = url;
		this.link = `${url}/sign-in?link=${token}`;
		return this;
	}

	/** Ends the server as a failing machine does. */
	async kill() {
		running.delete(this);
		this.process.kill("SIGKILL");
		await this.ended;
	}

	async stop() {
		running.delete(this);
		this.process.kill("SIGTERM");
		await this.ended;
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/** Starts a demo that speaks one piece per pace. */
export function demo(pace = "20ms") {
	return new Server((dir) => {
		const scenario = join(dir, "scenario.yaml");
		writeFileSync(scenario, `bedrock: {pace: ${pace}}\n`);
		return ["demo", "--addr", "127.0.0.1:0", "--scenario", scenario];
	}).ready();
}

/** Starts the chat page on the instance of this box. */
export function serve(...args) {
	return new Server((dir) => ["serve", "--addr", "127.0.0.1:0", "--data", dir, ...args]).ready();
}

export async function stopServers() {
	await Promise.all([...running].map((server) => server.stop()));
}
