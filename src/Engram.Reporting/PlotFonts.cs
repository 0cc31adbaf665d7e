using System.Text;
using ScottPlot;
using SkiaSharp;

namespace Engram.Reporting;

/// <summary>The fonts of the pictures: Inter, embedded here, so that labels show on machines without any font.</summary>
/// <remarks>
/// Text that Inter cannot write, such as Chinese, takes the installed font that writes most of it. A plot has one font per
/// text, so a font that knows no Latin letters does not help where both occur.
/// </remarks>
internal sealed class PlotFonts : IFontResolver
{
    /// <summary>The name under which plots ask for the embedded font.</summary>
    public const string Embedded = "Engram Inter";

    private static readonly SKTypeface s_regular = Load("Inter-Regular.otf");
    private static readonly SKTypeface s_bold = Load("Inter-SemiBold.otf");
    private static readonly Lazy<IReadOnlyList<(string Family, SKTypeface Typeface)>> s_installed = new(Installed);
    private static readonly Lock s_registration = new();
    private static bool s_registered;

    /// <summary>Makes the embedded font known to ScottPlot, once.</summary>
    public static void Register()
    {
        lock (s_registration)
        {
            if (s_registered) return;
            Fonts.FontResolvers.Insert(0, new PlotFonts());
            s_registered = true;
        }
    }

    /// <summary>The font that can write <paramref name="text"/>, the embedded one where possible.</summary>
    public static string For(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes().Distinct()];
        var (family, most) = (Embedded, Written(s_regular, runes));
        if (most == runes.Length) return Embedded;
        foreach (var candidate in s_installed.Value)
        {
            var written = Written(candidate.Typeface, runes);
            if (written > most) (family, most) = (candidate.Family, written);
        }
        return family;
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        CreateTypeface(fontName, weight >= FontWeight.SemiBold, slant != FontSlant.Upright);

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
        fontName != Embedded ? null : bold ? s_bold : s_regular;

    private static int Written(SKTypeface typeface, Rune[] runes) =>
        runes.Count(rune => typeface.ContainsGlyph(rune.Value));

    private static IReadOnlyList<(string Family, SKTypeface Typeface)> Installed() =>
    [
        .. SKFontManager.Default.FontFamilies
            .Order(StringComparer.Ordinal)
            .Select(family => (family, SKFontManager.Default.MatchFamily(family)))
            .Where(font => font.Item2 is not null),
    ];

    private static SKTypeface Load(string name)
    {
        using var stream = typeof(PlotFonts).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name}: the embedded font is missing from this build");
        return SKTypeface.FromStream(stream);
    }
}
