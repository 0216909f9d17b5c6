"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  const { sheet, kind } = document.body.dataset;
  const questions = document.body.dataset.questions.split(" ");
  const pages = [...document.querySelectorAll("[data-page]")];
  const items = pages.filter((page) => page.dataset.item);
  const radios = [...document.querySelectorAll("input[type=radio]")];
  const names = [get("rater"), get("signature")];
  const place = `graft:${sheet}:${kind}`;
  let state = { at: 0, rater: "", answers: {} };

  // Some browsers keep nothing for pages that were opened from a file.
  const keep = () => {
    try {
      localStorage.setItem(place, JSON.stringify(state));
    } catch {
      get("forgetful").hidden = false;
    }
  };
  const restore = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(place) ?? "{}");
      state = { ...state, ...kept, answers: { ...kept.answers } };
    } catch {
      get("forgetful").hidden = false;
    }
  };

  const answer = (item, question) => state.answers[`${item}.${question}`] ?? "";
  const isOpen = (page) => questions.some((name) => !answer(page.dataset.item, name));

  const draw = () => {
    radios.forEach((radio) => {
      radio.checked = state.answers[radio.name] === radio.value;
    });
    names.forEach((field) => {
      if (field.value !== state.rater) field.value = state.rater;
    });
    const open = items.filter(isOpen);
    const done = items.length - open.length;
    get("bar").value = done;
    get("count").textContent = `${done} of ${items.length}`;
    get("summary").textContent = open.length
      ? `${open.length} of ${items.length} are not complete. What you leave out is counted as missing. Go to:`
      : `All ${items.length} are done. Thank you.`;
    get("open").replaceChildren(
      ...open.map((page) => {
        const [entry, button] = ["li", "button"].map((tag) => document.createElement(tag));
        button.type = "button";
        button.textContent = items.indexOf(page) + 1;
        button.addEventListener("click", () => go(pages.indexOf(page)));
        entry.append(button);
        return entry;
      }),
    );
    get("text").value = toCsv();
    get("back").disabled = state.at === 0;
    get("next").hidden = get("end").hidden = state.at === pages.length - 1;
  };

  const show = () => {
    state.at = Math.min(Math.max(state.at, 0), pages.length - 1);
    pages.forEach((page, index) => {
      page.hidden = index !== state.at;
    });
    draw();
  };
  const go = (index) => {
    state.at = index;
    show();
    keep();
    scrollTo(0, 0);
    pages[state.at].querySelector("h1, h2").focus({ preventScroll: true });
  };
  const choose = (radio) => {
    state.answers[radio.name] = radio.value;
    get("saved").textContent = "";
    keep();
    draw();
  };

  const toJson = () => {
    const answers = Object.fromEntries(
      items.map(({ dataset: { item } }) => [
        item,
        Object.fromEntries(questions.map((name) => [name, answer(item, name) || null])),
      ]),
    );
    return `${JSON.stringify({ sheet, rater: state.rater.trim(), answers }, null, 2)}\n`;
  };
  const toCsv = () => {
    const quote = (value) => `"${value.replaceAll('"', '""')}"`;
    const rows = items.map(({ dataset: { item } }) =>
      [sheet, quote(state.rater.trim()), item, ...questions.map((name) => answer(item, name))].join(","),
    );
    return [["sheet", "rater", "item", ...questions].join(","), ...rows, ""].join("\r\n");
  };
  const save = (text, type, ending) => {
    const rater = state.rater.trim();
    if (!rater) {
      get("saved").textContent = "Please give your name first: it tells raters apart.";
      get("signature").focus();
      return;
    }
    const link = document.createElement("a");
    const name = rater.replace(/[^\p{L}\p{N}]+/gu, "-");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = `${sheet}-${kind}-${name}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    get("saved").textContent = `Saved ${link.download} to your downloads.`;
  };

  radios.forEach((radio) => radio.addEventListener("change", () => choose(radio)));
  names.forEach((field) =>
    field.addEventListener("input", () => {
      state.rater = field.value;
      keep();
      draw();
    }),
  );
  get("back").addEventListener("click", () => go(state.at - 1));
  get("next").addEventListener("click", () => go(state.at + 1));
  get("end").addEventListener("click", () => go(pages.length - 1));
  // The mark at the start tells spreadsheets that the file is UTF-8.
  get("csv").addEventListener("click", () => save(`\ufeff${toCsv()}`, "text/csv", "csv"));
  get("json").addEventListener("click", () => save(toJson(), "application/json", "json"));
  get("clear").addEventListener("click", () => {
    if (!confirm("Remove all answers and the name from this page?")) return;
    state = { at: 0, rater: "", answers: {} };
    get("saved").textContent = "";
    go(0);
  });

  // The question that a digit answers: the one in focus, else the first open one.
  const asked = (page) =>
    questions.find((name) => document.activeElement?.name === `${page.dataset.item}.${name}`) ??
    questions.find((name) => !answer(page.dataset.item, name)) ??
    questions[0];
  const press = (key) => {
    const page = pages[state.at];
    if (!page.dataset.item) return;
    const question = asked(page);
    const radio = radios.find(
      ({ name, value }) =>
        name === `${page.dataset.item}.${question}` && value[0].toLowerCase() === key,
    );
    if (!radio) return;
    choose(radio);
    const following = questions[questions.indexOf(question) + 1];
    const name = `${page.dataset.item}.${following}`;
    (radios.find((other) => other.name === name) ?? radio).focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const own = event.target.closest("button, summary, textarea, input[type=text]");
    if (event.key === "Enter" && (!own || own === get("rater"))) {
      event.preventDefault();
      const index = state.at + (event.shiftKey ? -1 : 1);
      if (index >= 0 && index < pages.length) go(index);
    } else if (!own?.matches("textarea, input")) {
      press(event.key.toLowerCase());
    }
  });

  restore();
  show();
})();
