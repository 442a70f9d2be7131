// The pictures of the README: node screenshots.mjs DIRECTORY, in a box. They
// show the demo as it is; nothing is painted over.
import { join } from "node:path";
import { demo, stopServers } from "./browser/servers.mjs";
import { Visitor, closeBrowser, ended, openBrowser } from "./browser/visitor.mjs";

const directory = process.argv[2];
const questions = {
	en: ["Which region keeps our data in Japan?", "Draft a reply to the audit", "What does an instance role allow?"],
	ja: ["データはどのリージョンに残りますか", "監査への返信の下書き", "インスタンスの役割で何ができますか"],
};

/** Takes a picture of a conversation after others, of a chain that holds or of one that broke. */
async function shoot(name, lang, colorScheme, fault) {
	const server = await demo("1ms");
	const visitor = await Visitor.open(server, { locale: lang, colorScheme });
	const { page } = visitor;
	await visitor.signIn();
	for (const question of questions[lang]) {
		const last = question === questions[lang].at(-1);
		if (fault && last) await breakChain(visitor, fault);
		await visitor.goto("/");
		await ended(await visitor.ask(question), fault && last ? "failed" : "done");
	}
	await page.reload(); // as one comes to it
	await page.waitForSelector(`#chain[data-state="${fault ? "red" : "green"}"]`);
	await page.evaluate(() => {
		document.activeElement?.blur();
		scrollTo(0, 0);
	});
	await page.screenshot({ path: join(directory, name), animations: "disabled" });
	await visitor.close();
}

async function breakChain(visitor, fault) {
	await visitor.goto("/doctor");
	await visitor.page.selectOption("#fault", fault);
	await visitor.page.click("#break");
	await visitor.page.waitForSelector("#doctor .finding");
}

try {
	await openBrowser();
	await shoot("chat-light.png", "en", "light");
	await shoot("chat-light.ja.png", "ja", "light");
	await shoot("problem-dark.png", "en", "dark", "model-eol");
	await shoot("problem-dark.ja.png", "ja", "dark", "model-eol");
} finally {
	await closeBrowser();
	await stopServers();
}
