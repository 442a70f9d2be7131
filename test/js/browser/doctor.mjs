// A chain that breaks while people look at it.
import assert from "node:assert/strict";
import { mark, visit, ended } from "./visitor.mjs";

export function doctor(server) {
	visit("chain broken and mended", server, brokenAndMended);
	visit("every fault", server, everyFault);
	visit("chain broken without scripts", server, withoutScripts, { javaScriptEnabled: false });
}

const healthy = (page, yes) => page.waitForSelector(`#doctor .verdict[data-healthy="${yes}"]`);

async function breakChain(page, fault) {
	await page.waitForSelector("#faults fieldset:not([disabled])"); // what is chosen while it is renewed would be lost
	await page.selectOption("#fault", fault);
	await page.click("#break");
	await healthy(page, false);
	return page.locator("#doctor .finding").first().getAttribute("data-finding");
}

async function mendChain(page) {
	await page.click("#mend");
	await healthy(page, true);
}

/** The chat turns red and green again under the eyes of who only reads. */
async function brokenAndMended(visitor) {
	const { page, context } = visitor;
	await visitor.goto("/");
	await page.waitForSelector('#chain[data-state="green"]');
	await ended(await visitor.ask("Is all well?"));
	const unmoved = await mark(page);

	const other = await context.newPage();
	await visitor.goto("/doctor", other);
	await healthy(other, true);
	assert.equal(await breakChain(other, "model-eol"), "TG6014");
	await page.waitForSelector('#chain[data-state="red"][data-root="TG6014"]');
	const answer = await visitor.ask("And now?");
	await ended(answer, "failed");
	const card = answer.locator('.problem[data-finding="TG6014"]');
	assert.ok(await card.locator(".cause").innerText());
	assert.ok(await card.locator(".command code").innerText());
	assert.match(await card.locator("a").getAttribute("href"), /\/doctor#TG6014$/);
	for (const theme of ["light", "dark"]) {
		for (const [what, p] of [["an error card", page], ["the broken chain", other]]) {
			await p.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme);
			await visitor.accessible(`${what}, ${theme}`, p);
		}
	}

	await mendChain(other);
	await page.waitForSelector('#chain[data-state="green"][data-root=""]');
	await answer.locator("form.again button").click();
	const again = page.locator('#thread article[data-role="assistant"]').nth(1);
	await page.waitForFunction(() => document.querySelectorAll('#thread article[data-state="done"][data-role="assistant"]').length === 2);
	assert.equal(await again.locator(".problem").count(), 0);
	assert.ok(await unmoved(), "the page was loaded again");
}

/** What the demo offers to break is found, and what was broken mends. */
async function everyFault(visitor) {
	const { page } = visitor;
	await visitor.goto("/doctor");
	const faults = await page.$$eval("#fault option", (options) => options.map((o) => o.value).filter(Boolean));
	assert.ok(faults.length >= 5, String(faults));
	const found = {};
	for (const fault of faults) {
		found[fault] = await breakChain(page, fault);
		await page.waitForSelector(`#chain[data-state="red"][data-root="${found[fault]}"]`);
		await mendChain(page);
	}
	assert.equal(new Set(Object.values(found)).size, faults.length, JSON.stringify(found));
	await page.click("#again");
	await page.waitForSelector("#again:not([disabled])");
	await healthy(page, true);
}

async function withoutScripts(visitor) {
	const { page } = visitor;
	await visitor.goto("/doctor");
	assert.equal(await breakChain(page, "no-role"), await page.getAttribute("#chain", "data-root"));
	await visitor.goto("/");
	assert.equal(await page.getAttribute("#chain", "data-state"), "red");
	await visitor.goto("/doctor");
	await mendChain(page);
	assert.equal(await page.getAttribute("#chain", "data-state"), "green");
}
