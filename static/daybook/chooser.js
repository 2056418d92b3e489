// Account choosers: each list of accounts becomes a field in which one types a part of the account's name or number.
// The list itself stays the field of the form, so that without this script everything works as well.
// What was typed is never dropped: a whole name or number is taken, anything else keeps the form from being sent.
// A list with an address (data-choices) is too long for the page: it is asked for the accounts that hold what one types.

import { fetched } from "./fetched.js";

let made = 0;
const asked = new WeakMap();

for (const list of document.querySelectorAll("select[data-chooser]")) make(list);

// Of a mapping with thousands of rows only the changed ones are sent.
for (const form of document.querySelectorAll("form[data-changes-only]")) {
    form.addEventListener("submit", () => {
        const kept = [...form.querySelectorAll("select[data-kept]")].filter((list) => !list.disabled && list.value === list.dataset.kept);
        for (const list of kept) list.disabled = true;
        setTimeout(() => { for (const list of kept) list.disabled = false; });
    });
}

function make(list) {
    const box = document.createElement("div");
    const field = document.createElement("input");
    const shown = document.createElement("ul");
    const said = document.createElement("p");
    const id = `chooser-${++made}`;
    box.className = "db-chooser";
    shown.id = id;
    shown.hidden = true;
    shown.setAttribute("role", "listbox");
    shown.tabIndex = -1; // A list that scrolls would be a stop of the Tab key, and would vanish under it.
    said.id = `${id}-said`;
    said.className = "db-error db-small";
    said.hidden = true;
    set(field, {
        type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
        "aria-controls": id, "aria-expanded": "false", "aria-label": list.getAttribute("aria-label") || "Account",
        "aria-describedby": said.id, placeholder: list.dataset.chooser,
    });
    if (list.getAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
    field.value = chosen(list);
    list.hidden = true;
    list.after(box);
    box.append(field, shown, said);

    field.disabled = list.disabled;
    field.addEventListener("focus", () => { field.select(); open(list, field, shown, field.validationMessage ? field.value : ""); });
    // The click that brings the focus would put the caret into the old name, and typing would mix the two.
    field.addEventListener("click", () => { if (field.value === chosen(list)) field.select(); });
    field.addEventListener("input", () => { complain(field, ""); open(list, field, shown, field.value); });
    field.addEventListener("keydown", (event) => key(event, list, field, shown));
    field.addEventListener("invalid", () => { if (box.closest("details")) box.closest("details").open = true; });
    field.addEventListener("blur", () => leave(list, field, shown));
    shown.addEventListener("mousedown", (event) => {
        const row = event.target.closest("[role=option]:not([aria-disabled])");
        event.preventDefault();
        if (row) take(row, list, field, shown);
    });
}

function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function chosen(list) {
    const option = list.selectedOptions[0];
    return option && option.value ? option.text : "";
}

async function open(list, field, shown, typed) {
    if (list.dataset.choices && !(await ask(list, field, typed))) return;
    show(list, field, shown, typed);
}

// Fills the list with what fits; whether this answer is still the one that is waited for.
async function ask(list, field, typed) {
    const mine = fetched(`${list.dataset.choices}?${new URLSearchParams({ q: typed })}`);
    asked.set(list, mine);
    // Until it has come the form is not sent: the name might be that of an account.
    if (typed) field.setCustomValidity("Looking for this account. Try again in a moment.");
    const found = await mine;
    if (asked.get(list) !== mine) return false;
    asked.delete(list);
    field.setCustomValidity("");
    const own = [...list.options].filter((option) => (!option.value && !option.disabled) || option.selected || "own" in option.dataset);
    const here = new Set(own.map((option) => option.value).filter(Boolean));
    const fresh = (found?.options ?? []).filter(({ value }) => !here.has(value)).map(offered);
    list.replaceChildren(...own, ...fresh);
    return true;
}

function offered({ value, text, name, number, warning, why }) {
    const option = new Option(text, value);
    option.disabled = Boolean(why);
    for (const [key, given] of Object.entries({ name, number, warning, why })) if (given) option.dataset[key] = given;
    return option;
}

function show(list, field, shown, typed) {
    if (field.disabled || document.activeElement !== field) return;
    const words = typed.toLowerCase().split(/[\s:]+/).filter(Boolean);
    const offered = [...list.options].filter((option) => words.length || !option.disabled);
    const fitting = offered.filter((option) => words.every((word) => option.text.toLowerCase().includes(word)));
    shown.replaceChildren(...fitting.slice(0, 100).map((option, place) => line(option, `${shown.id}-${place}`)));
    if (!fitting.length) {
        const none = document.createElement("li");
        none.textContent = list.dataset.none || "No account of a fitting type has this name.";
        shown.append(none);
    }
    shown.hidden = false;
    field.setAttribute("aria-expanded", "true");
    const whole = named(list, typed);
    mark(field, shown, words.length ? Math.max(0, fitting.filter((option) => !option.disabled).indexOf(whole)) : -1);
}

// The one account that has exactly this number, full name, or name without its parents.
function named(list, typed) {
    const wanted = typed.trim().toLowerCase();
    const same = (text) => text !== undefined && text.toLowerCase() === wanted;
    const options = wanted ? [...list.options].filter((option) => option.value && !option.disabled) : [];
    for (const read of [(o) => o.text, (o) => o.dataset.name, (o) => o.dataset.number, (o) => o.dataset.name?.split(":").pop()]) {
        const found = options.filter((option) => same(read(option)));
        if (found.length) return found.length === 1 ? found[0] : undefined;
    }
    return undefined;
}

function line(option, id) {
    const row = document.createElement("li");
    set(row, { role: "option", id, "data-value": option.value, "aria-selected": "false" });
    row.textContent = option.value ? option.text : "(none)";
    if (option.disabled) {
        row.setAttribute("aria-disabled", "true");
        row.textContent = `${option.text}: ${option.dataset.why}`;
    }
    return row;
}

// The rows that can be taken.
function offers(shown) {
    return [...shown.querySelectorAll("[role=option]:not([aria-disabled])")];
}

function mark(field, shown, place) {
    const rows = offers(shown);
    rows.forEach((row, here) => row.setAttribute("aria-selected", String(here === place)));
    field.dataset.place = place;
    if (rows[place]) {
        field.setAttribute("aria-activedescendant", rows[place].id);
        rows[place].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
}

function key(event, list, field, shown) {
    const rows = offers(shown);
    const place = Number(field.dataset.place ?? -1);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (shown.hidden) open(list, field, shown, "");
        else mark(field, shown, Math.max(0, Math.min(rows.length - 1, place + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter" && !shown.hidden) {
        event.preventDefault();
        if (rows[place]) take(rows[place], list, field, shown);
    } else if (event.key === "Escape") close(list, field, shown);
}

function take(row, list, field, shown) {
    choose(row.dataset.value, list);
    close(list, field, shown);
}

function choose(value, list) {
    list.value = value;
    list.dispatchEvent(new Event("change", { bubbles: true }));
}

// Tab, or a click elsewhere, even on Save: an emptied field empties the row.
async function leave(list, field, shown) {
    if (asked.has(list)) await asked.get(list);
    if (document.activeElement === field) return;
    const typed = field.value.trim();
    const whole = named(list, typed);
    if (typed && !whole && typed !== chosen(list)) {
        hide(field, shown);
        complain(field, `“${typed}” is not the name of one ${list.dataset.noun || "account"} on this list. Choose one, or empty the field.`);
        return;
    }
    if (whole && !whole.selected) choose(whole.value, list);
    if (!typed && chosen(list)) choose("", list);
    close(list, field, shown);
}

function hide(field, shown) {
    shown.hidden = true;
    field.setAttribute("aria-expanded", "false");
}

function close(list, field, shown) {
    hide(field, shown);
    field.value = chosen(list);
    complain(field, "");
    warn(list);
}

// The browser sends no form that holds a field with such a complaint, and shows where it stands.
function complain(field, words) {
    const said = document.getElementById(field.getAttribute("aria-describedby"));
    field.setCustomValidity(words);
    said.textContent = words;
    said.hidden = !words;
}

// What is to be known about an account before it is chosen, such as that it belongs to the sales tax centre.
function warn(list) {
    const place = list.closest("td")?.querySelector("[data-account-warning]");
    if (place) place.textContent = list.selectedOptions[0]?.dataset.warning || "";
}
