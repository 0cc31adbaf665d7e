using Microsoft.Playwright;

namespace Engram.Server.Tests.Dashboard;

/// <summary>What holds of every view, computed in the page.</summary>
internal static class PageChecks
{
    /// <summary>Texts whose contrast with what lies behind them is below WCAG 2.2 level AA (4.5 : 1; 3 : 1 where large).</summary>
    public static Task<string[]> FaintTextsAsync(IPage page) => page.EvaluateAsync<string[]>(
        """
        () => {
          const canvas = document.createElement('canvas');
          canvas.width = canvas.height = 1;
          const pen = canvas.getContext('2d', { willReadFrequently: true });
          const seen = new Map();
          const rgba = colour => {
            if (!seen.has(colour)) {
              pen.clearRect(0, 0, 1, 1);
              pen.fillStyle = colour;
              pen.fillRect(0, 0, 1, 1);
              const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
              seen.set(colour, [r, g, b, a / 255]);
            }
            return seen.get(colour);
          };
          const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
          const behind = element => {
            const layers = [];
            for (let at = element; at; at = at.parentElement) {
              const colour = rgba(getComputedStyle(at).backgroundColor);
              layers.push(colour);
              if (colour[3] === 1 || at.tagName === 'DIALOG') break;
            }
            return layers.reduceRight((below, colour) => over(colour, below), [255, 255, 255, 1]);
          };
          const light = colour => {
            const [r, g, b] = colour.map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const faint = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const text = walker.currentNode.textContent.trim();
            const element = walker.currentNode.parentElement;
            if (!text || element.closest('.unseen, :disabled, noscript, option, .skip') || !element.checkVisibility()) continue;
            const style = getComputedStyle(element);
            const ground = behind(element);
            const ink = over(rgba(element instanceof SVGElement ? style.fill : style.color), ground);
            const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
            const size = parseFloat(style.fontSize);
            const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
            const ratio = (a + 0.05) / (b + 0.05);
            if (ratio < (large ? 3 : 4.5)) faint.push(`"${text.slice(0, 30)}" ${ratio.toFixed(2)} (${style.color} on ${ground.map(Math.round)})`);
          }
          return faint;
        }
        """);

    /// <summary>Elements that reach beyond the right edge, where the page scrolls sideways.</summary>
    public static Task<string[]> TooWideAsync(IPage page) => page.EvaluateAsync<string[]>(
        """
        () => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.body.querySelectorAll('*')].filter(each => !each.closest('.scroll, .unseen, .toasts') && each.getBoundingClientRect().right > width + 0.5)
            .map(each => `${each.tagName}.${each.getAttribute('class')} reaches ${Math.round(each.getBoundingClientRect().right)} of ${width}`);
        }
        """);

    /// <summary>Things to operate that have no name for a screen reader, ids that stand twice, and what labels nothing.</summary>
    public static Task<string[]> NamelessAsync(IPage page) => page.EvaluateAsync<string[]>(
        """
        () => {
          const wrong = [];
          const named = each => each.getAttribute('aria-label') || each.labels?.length > 0 || each.textContent.trim()
            || each.getAttribute('aria-labelledby')?.split(' ').every(id => document.getElementById(id)?.textContent.trim());
          for (const each of document.querySelectorAll('a[href], button, input, textarea, select, summary, [tabindex="0"], [role="img"], [role="log"], [role="region"], nav, dialog'))
            if (each.checkVisibility() && !named(each)) wrong.push(`no name: ${each.outerHTML.slice(0, 100)}`);
          for (const label of document.querySelectorAll('label[for]'))
            if (!document.getElementById(label.htmlFor)) wrong.push(`labels nothing: ${label.outerHTML}`);
          for (const each of document.querySelectorAll('[aria-describedby]'))
            if (!document.getElementById(each.getAttribute('aria-describedby'))) wrong.push(`described by nothing: ${each.outerHTML.slice(0, 100)}`);
          const ids = [...document.querySelectorAll('[id]')].map(each => each.id);
          wrong.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map(id => `id ${id} stands twice`));
          if (document.querySelectorAll('h1').length !== 1) wrong.push(`${document.querySelectorAll('h1').length} h1`);
          for (const each of document.querySelectorAll('[style]')) wrong.push(`style attribute: ${each.outerHTML.slice(0, 100)}`);
          return wrong;
        }
        """);

    /// <summary>Whether the element that has the focus shows it.</summary>
    public static Task<bool> FocusIsVisibleAsync(IPage page) => page.EvaluateAsync<bool>(
        """
        () => {
          const shows = element => { const { outlineStyle, outlineWidth } = getComputedStyle(element); return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2; };
          const at = document.activeElement;
          return at !== document.body && (shows(at) || shows(at.closest('.learner') ?? at)) && at.getBoundingClientRect().width > 0;
        }
        """);
}
