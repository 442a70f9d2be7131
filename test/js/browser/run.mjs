// Runs tests side by side and prints one line of JSON for each that ended:
// {"name", "ms", "error", "first"}. One that failed is run once more when all
// others are done and the machine is quiet; "first" is what it failed of then.
const tests = [];

export function test(name, run) {
	tests.push({ name, run });
}

const limit = 90_000; // milliseconds for one test

async function attempt({ run }) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done within ${limit} ms`)), limit);
	});
	try {
		await Promise.race([run(), late]);
	} catch (error) {
		return error.stack ?? String(error);
	} finally {
		clearTimeout(timer);
	}
}

/** Runs the tests whose name a pattern finds, `width` at a time. */
export async function runTests(pattern, width) {
	const waiting = tests.filter((t) => pattern.test(t.name));
	const failed = [];
	const worker = async () => {
		for (let next; (next = waiting.shift()); ) {
			const began = performance.now();
			const error = await attempt(next);
			if (error) failed.push([next, error]);
			else tell(next, began);
		}
	};
	await Promise.all(Array.from({ length: width }, worker));
	for (const [next, first] of failed) {
		const began = performance.now();
		tell(next, began, { error: await attempt(next), first });
	}
}

function tell({ name }, began, rest) {
	console.log(JSON.stringify({ name, ...rest, ms: Math.round(performance.now() - began) }));
}
