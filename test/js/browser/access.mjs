// Pages for everybody: axe finds nothing serious on any of them, whatever the
// theme, the language and the width.
import { ended, visit } from "./visitor.mjs";

export function access(server) {
	visit("axe, light", server, pages, { colorScheme: "light" });
	visit("axe, dark", server, pages, { colorScheme: "dark", locale: "ja-JP" });
	visit("axe, on a phone", server, pages, { colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
}

async function pages(visitor) {
	const { page } = visitor;
	const look = async (path, what = path) => {
		await visitor.goto(path);
		await visitor.accessible(what);
	};
	await look("/");
	await page.fill("#ask", "Show me a table and code.");
	await page.click("#send");
	await page.waitForSelector('article[data-state="running"] .body > *');
	await visitor.accessible("a running answer");
	await ended(page.locator('#thread article[data-role="assistant"]'));
	await page.locator("#settings summary").click();
	await visitor.accessible("a conversation with its settings open");
	await look("/doctor");
	await look("/search?q=table");
	await look("/search?q=no%20such%20thing");
	await look("/password");
	visitor.expect(/status of 404/);
	await look("/nowhere");
}
