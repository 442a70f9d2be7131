// Runs tests side by side and prints one line of JSON for each that ended:
// {"name", "ms", "error"}. A pattern as argument chooses among them.
const tests = [];

export function test(name, run) {
	tests.push({ name, run });
}

const limit = 90_000; // milliseconds for one test

async function attempt({ name, run }) {
	const began = performance.now();
	const result = { name };
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done within ${limit} ms`)), limit);
	});
	try {
		await Promise.race([run(), late]);
	} catch (error) {
		result.error = error.stack ?? String(error);
	}
	clearTimeout(timer);
	console.log(JSON.stringify({ ...result, ms: Math.round(performance.now() - began) }));
}

/** Runs the tests whose name a pattern finds, `width` at a time. */
export async function runTests(pattern, width) {
	const waiting = tests.filter((t) => pattern.test(t.name));
	const worker = async () => {
		for (let next; (next = waiting.shift()); ) await attempt(next);
	};
	await Promise.all(Array.from({ length: width }, worker));
}
