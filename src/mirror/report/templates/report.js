"use strict";
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const views = all("[data-view]"), tabs = all("[data-shows]");

  // One audience at a time; the browser's own search still finds what is hidden, and the script below shows it.
  const show = (name) => {
    views.forEach((view) => { if (view.dataset.view === name) view.removeAttribute("hidden"); else view.setAttribute("hidden", "until-found"); });
    tabs.forEach((tab) => { if (tab.dataset.shows === name) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current"); });
  };
  const reveal = (element, focus) => {
    const view = element.closest("[data-view]");
    if (view && view.hasAttribute("hidden")) show(view.dataset.view);
    for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    element.scrollIntoView({ block: element.dataset.view ? "start" : "center", inline: "center" });
    if (focus) {
      if (!element.matches("a, summary, input")) element.tabIndex = -1;
      element.focus({ preventScroll: true });
      all(".hit").forEach((one) => one.classList.remove("hit"));
      element.classList.add("hit");
    }
  };
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) reveal(target, !target.dataset.view && target.id !== "main");
  };
  if (tabs.length) {
    show(tabs[0].dataset.shows);
    views.forEach((view) => view.addEventListener("beforematch", () => show(view.dataset.view)));
    addEventListener("hashchange", follow);
    tabs.forEach((tab) => tab.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", tab.hash);
      show(tab.dataset.shows);
    }));
    follow();
  }
  addEventListener("beforeprint", () => views.forEach((view) => view.removeAttribute("hidden")));

  const box = document.querySelector(".search"), input = document.getElementById("find");
  if (box && tabs.length) {
    const list = document.getElementById("found"), count = document.getElementById("found-count");
    const items = all("[data-find]").map((element) => ({ element, text: element.dataset.find, plain: element.dataset.find.toLowerCase() }));
    const close = () => { list.hidden = true; list.replaceChildren(); count.textContent = ""; };
    const search = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (!words.length) return close();
      const found = items.filter((item) => words.every((word) => item.plain.includes(word)));
      list.replaceChildren(...found.slice(0, 12).map((item) => {
        const line = document.createElement("li"), button = document.createElement("button");
        button.type = "button";
        button.textContent = item.text;
        button.addEventListener("click", () => { close(); reveal(item.element, true); });
        line.append(button);
        return line;
      }));
      list.hidden = !found.length;
      count.textContent = found.length > 12 ? `${found.length} found, the first 12 are listed` : `${found.length} found`;
    };
    box.hidden = false;
    input.addEventListener("input", search);
    box.addEventListener("keydown", (event) => {
      const buttons = all("button", list), at = buttons.indexOf(document.activeElement);
      if (event.key === "Escape") { close(); input.value = ""; input.focus(); }
      else if (event.key === "ArrowDown" && buttons.length) { event.preventDefault(); buttons[Math.min(at + 1, buttons.length - 1)].focus(); }
      else if (event.key === "ArrowUp" && at >= 0) { event.preventDefault(); (buttons[at - 1] || input).focus(); }
      else if (event.key === "Enter" && document.activeElement === input && buttons.length) { event.preventDefault(); buttons[0].click(); }
    });
    document.addEventListener("click", (event) => { if (!box.contains(event.target)) close(); });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input")) { event.preventDefault(); input.focus(); }
    });
  }

  all("svg.lineage").forEach((picture) => {
    const nodes = new Map(all("[data-node]", picture).map((node) => [node.dataset.node, node]));
    const links = all("[data-from]", picture).map((link) => ({ link, from: link.dataset.from, to: link.dataset.to }));
    const detail = picture.closest("article").querySelector("[data-detail]");
    let chosen = null;
    const walk = (start, here, there) => {
      const seen = new Set([start]), todo = [start];
      while (todo.length) {
        const at = todo.pop();
        links.forEach((one) => { if (one[here] === at && !seen.has(one[there])) { seen.add(one[there]); todo.push(one[there]); } });
      }
      return seen;
    };
    const light = (name) => {
      picture.classList.toggle("traced", Boolean(name));
      const up = name ? walk(name, "to", "from") : new Set(), down = name ? walk(name, "from", "to") : new Set();
      nodes.forEach((node, key) => node.classList.toggle("near", up.has(key) || down.has(key)));
      links.forEach(({ link, from, to }) => link.classList.toggle("near", (up.has(from) && up.has(to)) || (down.has(from) && down.has(to))));
      return [up, down];
    };
    const choose = (name) => {
      chosen = name;
      const [up, down] = light(name);
      detail.hidden = !name;
      if (!name) return;
      const node = nodes.get(name), strong = document.createElement("strong"), jump = document.createElement("a");
      strong.textContent = name;
      jump.textContent = "details";
      jump.href = node.getAttribute("href");
      detail.replaceChildren(strong, ` · ${node.dataset.status} · ${up.size - 1} upstream, ${down.size - 1} downstream · `, jump);
    };
    nodes.forEach((node, name) => {
      node.addEventListener("click", (event) => { event.preventDefault(); choose(chosen === name ? null : name); });
      node.addEventListener("mouseenter", () => { if (!chosen) light(name); });
      node.addEventListener("mouseleave", () => { if (!chosen) light(null); });
    });
    picture.addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });
  });

  // What scrolls sideways opens where there is something to see: a lineage on the most datasets that fit into its first
  // screen, a time line at its newest column. Sizes are known only once the view or the fold around it is open.
  const first = (region) => {
    const area = region.getBoundingClientRect();
    const boxes = all("[data-node]", region).map((node) => node.getBoundingClientRect()).filter((box) => box.top < area.top + innerHeight * 0.8);
    const fits = boxes.map((left) => boxes.filter((box) => box.left >= left.left && box.right <= left.left + area.width));
    const most = fits.reduce((best, one) => (one.length > best.length ? one : best), []);
    if (!most.length) return 0;
    const middle = (Math.min(...most.map((box) => box.left)) + Math.max(...most.map((box) => box.right))) / 2;
    return region.scrollLeft + middle - area.left - area.width / 2;
  };
  const newest = (region) => {
    const last = all("thead th, rect", region).pop();
    return last ? region.scrollLeft + last.getBoundingClientRect().right - region.getBoundingClientRect().right : 0;
  };
  const opened = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (!target.clientWidth) return;
    opened.unobserve(target);
    target.scrollLeft = target.dataset.opens === "newest" ? newest(target) : first(target);
  }));
  all("[data-opens]").forEach((region) => opened.observe(region));

  const units = [["day", 864e5], ["hour", 36e5], ["minute", 6e4]];
  all("time.ago").forEach((time) => {
    const age = Date.now() - Date.parse(time.dateTime);
    const [unit, size] = units.find(([, length]) => age >= 2 * length) || units[2];
    if (age > 0) time.after(` (${Math.floor(age / size)} ${unit}s ago)`);
  });
})();
