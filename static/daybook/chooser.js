// Account choosers: each list of accounts becomes a field in which one types a part of the account's name or number.
// The list itself stays the field of the form, so that without this script everything works as well.

let made = 0;

for (const list of document.querySelectorAll("select[data-chooser]")) make(list);

function make(list) {
    const box = document.createElement("div");
    const field = document.createElement("input");
    const shown = document.createElement("ul");
    const id = `chooser-${++made}`;
    box.className = "db-chooser";
    shown.id = id;
    shown.hidden = true;
    shown.setAttribute("role", "listbox");
    set(field, {
        type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
        "aria-controls": id, "aria-expanded": "false", "aria-label": list.getAttribute("aria-label") || "Account",
        placeholder: list.dataset.chooser,
    });
    if (list.getAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
    field.value = chosen(list);
    list.hidden = true;
    list.after(box);
    box.append(field, shown);

    field.addEventListener("focus", () => { field.select(); open(list, field, shown, ""); });
    field.addEventListener("input", () => open(list, field, shown, field.value));
    field.addEventListener("keydown", (event) => key(event, list, field, shown));
    field.addEventListener("blur", () => close(list, field, shown));
    shown.addEventListener("mousedown", (event) => {
        const row = event.target.closest("li");
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

function open(list, field, shown, typed) {
    const words = typed.toLowerCase().split(/[\s:]+/).filter(Boolean);
    const fitting = [...list.options].filter((option) => words.every((word) => option.text.toLowerCase().includes(word)));
    shown.replaceChildren(...fitting.slice(0, 100).map((option, place) => line(option, `${shown.id}-${place}`)));
    if (!fitting.length) {
        const none = document.createElement("li");
        none.textContent = "No account of a fitting type has this name.";
        shown.append(none);
    }
    shown.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark(field, shown, words.length ? 0 : -1);
}

function line(option, id) {
    const row = document.createElement("li");
    set(row, { role: "option", id, "data-value": option.value, "aria-selected": "false" });
    row.textContent = option.value ? option.text : "(none)";
    return row;
}

function mark(field, shown, place) {
    const rows = [...shown.querySelectorAll("[role=option]")];
    rows.forEach((row, here) => row.setAttribute("aria-selected", String(here === place)));
    field.dataset.place = place;
    if (rows[place]) {
        field.setAttribute("aria-activedescendant", rows[place].id);
        rows[place].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
}

function key(event, list, field, shown) {
    const rows = [...shown.querySelectorAll("[role=option]")];
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
    list.value = row.dataset.value;
    list.dispatchEvent(new Event("change", { bubbles: true }));
    close(list, field, shown);
}

function close(list, field, shown) {
    if (!field.value.trim() && !shown.hidden && field.dataset.place === "-1" && list.querySelector("option[value='']")) list.value = "";
    shown.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.value = chosen(list);
    warn(list);
}

// What is to be known about an account before it is chosen, such as that it belongs to the sales tax centre.
function warn(list) {
    const place = list.closest("td")?.querySelector("[data-account-warning]");
    if (place) place.textContent = list.selectedOptions[0]?.dataset.warning || "";
}
