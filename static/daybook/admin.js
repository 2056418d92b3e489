// What Unfold's scripts need so that no page holds an inline style.

// HTMX would add a <style> element; theme.css holds the same rules.
htmx.config.includeIndicatorStyles = false;

// Alpine sets an object property by property; a text it would write into the style attribute.
document.addEventListener("alpine:init", () => {
    const bar = document.getElementById("changelist-actions");
    if (bar) bar.setAttribute("x-bind:style", "{ width: changeListWidth + 'px' }");
});
