// Three small things for our own pages, each of which the page can do without:
// a pop-up window, a page that stays true when its state has changed, figures beside a range of dates.

const EVERY = 3000;

// Connect: the form has a target of its own; here that target becomes a pop-up window.
for (const form of document.querySelectorAll("form[data-window]")) {
    form.addEventListener("submit", () => {
        window.open("", form.target, "popup,width=620,height=760");
    });
}

// The tabs of a book and the page of an event ask how things stand; the window that connected cannot tell, for it is cut off from its opener.
const watched = document.querySelector("[data-watch]");
if (watched) {
    let edited = false;
    watched.addEventListener("input", () => { edited = true; });
    setInterval(() => look(watched, edited), EVERY);
}

async function look(page, edited) {
    if (document.hidden) return;
    const said = await fetched(page.dataset.watch);
    if (!said) return;
    for (const [state, count] of Object.entries(said.counts ?? {})) {
        for (const place of document.querySelectorAll(`[data-count="${state}"]`)) place.textContent = count;
    }
    if (said.run) show_run(said.run);
    if (said.detail) document.querySelector("[data-detail]").textContent = said.detail;
    if (said.stamp === page.dataset.stamp) return;
    const list = document.querySelector("[data-live]");
    // Rows do not move under a hand that is about to press one of them.
    if (edited || list?.matches(":hover, :focus-within")) document.querySelector("[data-changed]")?.removeAttribute("hidden");
    else if (list) await renew(page, list);
    else location.reload();
}

// The list as a new visit of this page would show it.
async function renew(page, list) {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const rows = fresh.querySelector("[data-live]");
    if (!rows) return;
    list.replaceWith(document.adoptNode(rows));
    page.dataset.stamp = fresh.querySelector("[data-watch]").dataset.stamp;
    document.querySelector("[data-changed]")?.setAttribute("hidden", "");
}

function show_run({ synced, sentence }) {
    const bar = document.querySelector("[data-run]");
    if (!bar) return;
    bar.value = synced;
    document.querySelector("[data-run-words]").textContent = sentence;
}

async function fetched(address) {
    try {
        const answer = await fetch(address, { headers: { Accept: "application/json" } });
        return answer.ok && !answer.redirected ? await answer.json() : null;
    } catch {
        return null;
    }
}

// Sync Past Events: the number of events and the money in a range, as soon as both dates are there.
const range = document.querySelector("form[data-range]");
let asked = 0;
if (range) range.addEventListener("change", () => show_range(range));

async function show_range(form) {
    const mine = ++asked;
    const dates = [...form.querySelectorAll("input[type=date]")];
    const complete = dates.every((field) => field.value);
    const query = new URLSearchParams(dates.map((field) => [field.name, field.value]));
    const said = complete ? await fetched(`${form.dataset.range}?${query}`) : { figures: "", problem: "" };
    // The answer to an earlier question may come after that to a later one.
    if (!said || mine !== asked) return;
    const figures = document.querySelector("[data-figures]");
    figures.textContent = said.figures || said.problem;
    figures.classList.toggle("db-error", Boolean(said.problem));
}
