using ScottPlot;

namespace Engram.Reporting.Tests;

public sealed class PaletteTests
{
    [Fact]
    public void Twelve_strategies_differ_in_marker_and_in_colour_or_line()
    {
        var twelve = Palette.Styles.Take(12).ToArray();
        Assert.Equal(12, twelve.Select(s => s.Marker).Distinct().Count());
        Assert.Equal(12, twelve.Select(s => (s.Light, string.Join(' ', s.Dashes))).Distinct().Count());
        Assert.Equal(12, twelve.Select(s => (s.MarkerPath, s.Filled)).Distinct().Count());
    }

    [Fact]
    public void No_two_styles_are_alike() =>
        Assert.Equal(48, Palette.Styles.Select(s => (s.Light, s.Marker, string.Join(' ', s.Dashes))).Distinct().Count());

    [Fact]
    public void Colours_stand_out_from_their_page()
    {
        // WCAG 2.2, 1.4.11: at least 3 to 1 for graphics.
        Assert.All(Palette.Styles, style =>
        {
            Assert.True(Contrast(Color.FromHex(style.Light), Colors.White) >= 3, style.Light);
            Assert.True(Contrast(Color.FromHex(style.Dark), Color.FromHex("#18202A")) >= 3, style.Dark);
        });
    }

    [Fact]
    public void Text_on_heat_cells_is_readable()
    {
        // WCAG 2.2, 1.4.3: at least 4.5 to 1 for text.
        for (var percent = 0; percent <= 100; percent++)
            Assert.True(Contrast(HeatScale.ColourOf(percent / 100.0), HeatScale.TextOn(percent / 100.0)) >= 4.5, $"{percent} %");
    }

    private static double Contrast(Color a, Color b)
    {
        var (x, y) = (HeatScale.Luminance(a) + 0.05, HeatScale.Luminance(b) + 0.05);
        return Math.Max(x, y) / Math.Min(x, y);
    }
}
