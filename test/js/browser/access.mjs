// Pages for everybody: axe finds nothing serious on any of them, whatever the
// theme, the language and the width.
import { ended, visit } from "./visitor.mjs";

export function access(server) {
	visit("axe, light", server, pages, { colorScheme: "light" });
	visit("axe, dark", server, pages, { colorScheme: "dark", locale: "ja-JP" });
	visit("axe, on a phone", server, few, { colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
}

async function look(visitor, path) {
	await visitor.goto(path);
	await visitor.accessible(path);
}

async function few(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	await ended(await visitor.ask("Show me a table."));
	await page.tap(".menu");
	await visitor.accessible("a conversation and the list");
	await look(visitor, "/doctor");
}

async function pages(visitor) {
	const { page } = visitor;
	await look(visitor, "/");
	await visitor.ask("Show me a table and code, at length.");
	await page.waitForSelector('article[data-state="running"] table');
	await visitor.accessible("a running answer");
	await page.locator("#settings summary").click();
	await visitor.accessible("a conversation with its settings open");
	await look(visitor, "/doctor");
	await look(visitor, "/search?q=table");
	await look(visitor, "/search?q=no%20such%20thing");
	await look(visitor, "/password");
	visitor.expect(/status of 404/);
	await look(visitor, "/nowhere");
}
