// Draws the charts in the reader's colours, shows one fuel of the mix alone if its button is pressed,
// and shows a warning once the page is old.
"use strict";
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  // The fuel that the buttons above the mix show alone, null for all.
  const legend = [...document.querySelectorAll("#mix-legend button")];
  let chosen = null;
  let mix = null;

  const show = () => {
    for (const button of legend)
      button.setAttribute("aria-pressed", String(button.value === chosen));
    mix?.signal("chosen", chosen).run();
  };

  for (const button of legend) {
    button.addEventListener("click", () => {
      chosen = button.value === chosen ? null : button.value;
      show();
    });
  }

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const line = style.getPropertyValue("--line").trim();
    const font = "system-ui, sans-serif";
    const config = {
      font,
      view: { stroke: null },
      axis: {
        labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
      },
      legend: { labelColor: ink, labelFontSize: 12, symbolType: "square" },
      rule: { color: ink },
    };
    for (const [name, spec] of Object.entries(page.charts)) {
      const options = {
        renderer: "svg", actions: false, config,
        tooltip: { theme: dark.matches ? "dark" : "light" },
      };
      vegaEmbed(`#${name}-chart`, structuredClone(spec), options).then((drawn) => {
        if (name !== "mix") return;
        mix = drawn.view;
        show();
      }).catch((error) => {
        console.error(error);
        document.getElementById(`${name}-chart`).textContent =
          "The chart could not be drawn here. Its numbers are in the table below.";
      });
    }
  };

  const showAge = () => {
    const age = Date.now() - page.made;
    const old = document.getElementById("old");
    old.hidden = age < page.old;
    const hours = Math.floor(age / 3600000);
    document.getElementById("age").textContent =
      hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
  };

  draw();
  dark.addEventListener("change", draw);
  showAge();
  setInterval(showAge, 60000);
})();
