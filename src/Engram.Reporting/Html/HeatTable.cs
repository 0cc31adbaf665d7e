namespace Engram.Reporting.Html;

/// <summary>Cells and frames that the tables of the report share.</summary>
internal static class HeatTable
{
    // Above these the other of black and white text stands out more (4.5 to 1); light and dark pages have their own ramps.
    private const double InvertLight = 0.725;
    private const double InvertDark = 0.535;

    /// <summary>A cell coloured by a fraction from 0 to 1; no colour where nothing was measured.</summary>
    public static Markup Cell(double fraction, string text) => Cell(fraction, Markup.Of($"{text}"));

    /// <summary>A cell coloured by a fraction from 0 to 1, with markup inside.</summary>
    public static Markup Cell(double fraction, Markup content)
    {
        if (!double.IsFinite(fraction)) return Markup.Of($"<td class=\"none\">{content}</td>");
        var value = Math.Clamp(fraction, 0, 1);
        var contrast = (value > InvertLight ? " il" : "") + (value > InvertDark ? " id" : "");
        return Markup.Of($"<td class=\"heat{contrast}\" style=\"--v:{value}\">{content}</td>");
    }

    /// <summary>A table that scrolls by itself when it is wider than the page, also by keyboard.</summary>
    public static Markup Scrolling(string name, Markup table) =>
        Markup.Of($"""<div class="scroll" role="region" tabindex="0" aria-label="{name}">{table}</div>""");
}
