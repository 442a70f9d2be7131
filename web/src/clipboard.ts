import { find, word } from "./page";

/** Buttons that copy: a whole message as it was written, or a block of code. */
export function clipboard() {
	document.addEventListener("click", (e) => {
		const button = (e.target as Element).closest<HTMLButtonElement>(".copy, .copy-code");
		if (!button) return;
		void copy(textOf(button)).then((done) => done && confirm(button));
	});
}

function textOf(button: HTMLButtonElement): Promise<string> {
	const code = button.closest("pre");
	if (code) return Promise.resolve(find("code", code)!.textContent!.replace(/\n$/, ""));
	return fetch(button.dataset.from!).then((r) => (r.ok ? r.text() : Promise.reject(r.status)));
}

/** Copies a text that may still be on its way. Safari wants it promised within
 * the click; without TLS there is only the old way. */
async function copy(text: Promise<string>): Promise<boolean> {
	try {
		const blob = text.then((t) => new Blob([t], { type: "text/plain" }));
		await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
		return true;
	} catch {
		return text.then(copySelected, () => false);
	}
}

function copySelected(text: string): boolean {
	const box = document.createElement("textarea");
	const focused = document.activeElement as HTMLElement | null;
	box.value = text;
	box.className = "hidden";
	document.body.append(box);
	box.select();
	const done = document.execCommand("copy");
	box.remove();
	focused?.focus();
	return done;
}

const shown = 1600; // milliseconds

function confirm(button: HTMLButtonElement) {
	const use = find("use", button)!;
	use.setAttribute("href", "#i-done");
	button.classList.add("did");
	const label = button.ariaLabel;
	button.ariaLabel = word("copied");
	setTimeout(() => {
		use.setAttribute("href", "#i-copy");
		button.classList.remove("did");
		button.ariaLabel = label;
	}, shown);
}
