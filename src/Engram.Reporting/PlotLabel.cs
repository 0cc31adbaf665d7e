using System.Globalization;
using ScottPlot;
using SkiaSharp;

namespace Engram.Reporting;

/// <summary>Text from outside, made fit for a plot: one line, of bounded length.</summary>
internal static class PlotLabel
{
    /// <summary>The text in one line of at most <paramref name="length"/> characters.</summary>
    public static string Of(string text, int length)
    {
        var line = string.Concat(text.Select(Visible)).Trim();
        if (line.Length <= length) return line;
        var end = char.IsHighSurrogate(line[length - 2]) ? length - 2 : length - 1;
        return $"{line[..end].TrimEnd()}…";
    }

    /// <summary>The text in one line of at most <paramref name="pixels"/>, set semi-bold.</summary>
    public static string Fit(string text, float size, float pixels)
    {
        using var font = new SKFont(Fonts.GetTypeface(PlotFonts.For(text), bold: true, italic: false), size);
        var label = Of(text, Math.Max(2, text.Length));
        for (var length = label.Length - 1; length >= 2 && font.MeasureText(label) > pixels; length--)
            label = Of(text, length);
        return label;
    }

    // Line breaks, and marks that turn the direction of writing, have no business in a plot.
    private static string Visible(char c) => char.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => " ",
        UnicodeCategory.Format => "",
        _ => c.ToString(),
    };
}
