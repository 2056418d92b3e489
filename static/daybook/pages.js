// Small things for our own pages, each of which the page can do without:
// a pop-up window, a page that stays true when its state has changed, figures beside a range of dates.

import { fetched } from "./fetched.js";

const EVERY = 3000;
const SLOWEST = 60000;
const REST = 1500;

// Connect: the form has a target of its own; here that target becomes a pop-up window.
document.addEventListener("submit", ({ target }) => {
    if (target.matches("form[data-window]")) window.open("", target.target, "popup,width=620,height=760");
});

// A watched page asks how things stand; the window that connected cannot tell, for it is cut off from its opener.
// `data-stamp` is what the page shows now. When the answer bears another one, the parts named by `data-live` are put in
// anew, each in its place; a page without such parts is loaded again. Numbers and bars follow each answer.
const watched = document.querySelector("[data-watch]");
const hand = { at: 0, over: null };
let edited = false;
let failures = 0;
let trueAt = new Date();
let timer = 0;

if (watched) {
    watched.addEventListener("input", () => { edited = true; });
    for (const kind of ["pointermove", "pointerdown", "keydown"]) {
        document.addEventListener(kind, ({ target }) => Object.assign(hand, { at: Date.now(), over: target }), { passive: true });
    }
    // Nobody looks at a hidden page; whoever comes back wants to see what is true now.
    document.addEventListener("visibilitychange", () => { if (!document.hidden) turn(); });
    window.addEventListener("online", turn);
    timer = setTimeout(turn, EVERY);
}

async function turn() {
    clearTimeout(timer);
    if (document.hidden) return;
    await look(watched);
    clearTimeout(timer);
    timer = setTimeout(turn, Math.min(SLOWEST, EVERY * 2 ** failures));
}

async function look(page) {
    const said = await fetched(page.dataset.watch);
    if (!said) {
        failures = Math.min(failures + 1, 6);
        if (failures > 1) say_stale();
        return;
    }
    failures = 0;
    trueAt = new Date();
    document.querySelector("[data-stale]")?.remove();
    show_counts(said.counts ?? {});
    show_progress(said.progress ?? {});
    const detail = document.querySelector("[data-detail]");
    if (said.detail && detail && detail.textContent !== said.detail) detail.textContent = said.detail;
    if (said.stamp !== page.dataset.stamp) await renew(page);
}

function show_counts(counts) {
    for (const [state, count] of Object.entries(counts)) {
        for (const place of document.querySelectorAll(`[data-count="${state}"]`)) {
            if (place.textContent !== count) place.textContent = count;
        }
    }
}

function show_progress(running) {
    for (const [name, { value, most, words }] of Object.entries(running)) {
        const place = document.querySelector(`[data-progress="${name}"]`);
        const bar = place?.querySelector("progress");
        if (!bar) continue;
        if (most !== null) Object.assign(bar, { max: most, value });
        place.querySelector("[data-words]").textContent = words;
    }
}

// The server cannot be reached, or answers with the log-in page: what is shown may be old, and the page says since when.
function say_stale() {
    let note = document.querySelector("[data-stale]");
    if (!note) {
        note = document.createElement("p");
        note.className = "db-note";
        note.dataset.stale = "";
        note.setAttribute("role", "status");
        const again = document.createElement("a");
        again.href = location.href;
        again.textContent = "Load the page again";
        note.append(document.createElement("span"), " ", again);
        watched.prepend(note);
    }
    const time = trueAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const words = `Not up to date since ${time}: Daybook cannot be reached, or you were logged out. It is tried again by itself.`;
    if (note.firstChild.textContent !== words) note.firstChild.textContent = words;
}

const parts = (page) => [...page.querySelectorAll("[data-live]")];
const named = (list) => list.map((part) => part.dataset.live).join();

// The parts of the page as a new visit would show them.
async function renew(page) {
    const old = parts(page);
    if (!old.length && edited) { show_changed(true); return; }
    if (!old.length) { location.reload(); return; }
    // The header says that nobody clicked: an open page alone does not keep a person signed in.
    const answer = await fetch(location.href, { headers: { "X-Daybook-Watch": "1" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-watch]");
    if (!fresh) return;
    if (named(old) !== named(parts(fresh))) {
        if (edited) show_changed(true);
        else location.reload();
        return;
    }
    const waiting = old.filter((part) => !put(part, fresh.querySelector(`[data-live="${part.dataset.live}"]`)));
    show_changed(waiting.some((part) => part.hasAttribute("data-steady")));
    if (!waiting.length) page.dataset.stamp = fresh.dataset.stamp;
}

function show_changed(is) {
    document.querySelector("[data-changed]")?.toggleAttribute("hidden", !is);
}

// Puts the fresh part in the place of the old one, unless a hand would then press something else than it meant:
// rows (`data-steady`) do not move while it points at them, buttons not while it moves over them.
function put(part, fresh) {
    if (part.outerHTML === fresh.outerHTML) return true;
    const busy = part.contains(hand.over) && Date.now() - hand.at < REST;
    if (busy || (part.hasAttribute("data-steady") && part.matches(":hover"))) return false;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : null;
    const next = focused ? fresh.querySelector(`#${CSS.escape(focused)}`) : null;
    if (focused !== null && !next && part.hasAttribute("data-steady")) return false;
    // The list or the press that a box belongs to is not lost when its row comes anew.
    for (const box of part.querySelectorAll("input[type=checkbox]:checked")) {
        const same = fresh.querySelector(`#${CSS.escape(box.id)}`);
        if (same) same.checked = true;
    }
    part.replaceWith(document.adoptNode(fresh));
    next?.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("daybook:renewed"));
    return true;
}

// Sync Past Events: the number of events and the money in a range, as soon as both dates are there.
let asked = 0;
document.addEventListener("change", ({ target }) => {
    const form = target.closest("form[data-range]");
    if (form) show_range(form);
});

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
    // Where there is nothing to send, Sync is not what the page points at; pressed all the same, it says why.
    form.querySelector("[data-sync]").classList.toggle("db-button-main", !complete || said.sends);
    const closed = form.querySelector("[data-closed]");
    closed.textContent = said.closed ?? "";
    closed.hidden = !said.closed;
    // Each part of the range leads to its events.
    const parts = said.parts ?? [];
    parts.forEach(({ words, link }, at) => {
        const leads = Object.assign(document.createElement("a"), { href: link, textContent: words });
        figures.append(" ", leads, at < parts.length - 1 ? "," : ".");
    });
}
