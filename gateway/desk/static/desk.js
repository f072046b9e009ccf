// What do keys do at the desk? Reading works without this file; it only saves the hand a way.
"use strict";

(() => {
  const help = document.getElementById("keys");
  const search = () => document.querySelector("[data-search]");
  const places = new Map([...document.querySelectorAll("[data-key]")].map((link) => [link.dataset.key, link]));
  const rows = () => [...document.querySelectorAll("table[data-rows] tbody tr")].filter((row) => row.querySelector("a"));
  let going = false;
  let at = -1;

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    all[at]?.classList.remove("here");
    at = Math.min(Math.max(at + by, 0), all.length - 1);
    all[at].classList.add("here");
    all[at].querySelector("td a")?.focus();
    all[at].scrollIntoView({ block: "nearest" });
  };

  const typing = (target) => target.matches("input, select, textarea, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) {
      if (event.key === "Escape") event.target.blur?.();
      return;
    }
    if (going) {
      going = false;
      const link = places.get(event.key);
      if (link) {
        event.preventDefault();
        link.click();
      }
      return;
    }
    const act = {
      "/": () => search()?.focus(),
      "?": () => (help.open ? help.close() : help.showModal()),
      g: () => { going = true; },
      j: () => step(1),
      k: () => step(-1),
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  for (const form of document.querySelectorAll("form[data-instant]")) {
    form.addEventListener("change", () => form.requestSubmit());
  }

  for (const zone of document.querySelectorAll("[data-drop]")) {
    const field = zone.querySelector("input[type=file]");
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      if (event.dataTransfer.files.length) {
        field.files = event.dataTransfer.files;
        zone.closest("form").requestSubmit();
      }
    });
  }
})();
