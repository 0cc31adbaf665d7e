using SkiaSharp;

namespace Engram.Reporting.Tests;

public sealed class PlotTests
{
    private static readonly byte[] s_signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(12)]
    public void Curves_show_every_strategy_in_its_colour(int strategies)
    {
        using var picture = Decode(AccuracyPlot.RenderPng(SampleRuns.Digits(strategies)));

        Assert.Equal((AccuracyPlot.Width, AccuracyPlot.Height), (picture.Width, picture.Height));
        var colours = Colours(picture);
        Assert.All(Palette.Styles.Take(strategies), style => Assert.Contains(SKColor.Parse(style.Light), colours));
    }

    [Fact]
    public void A_legend_of_many_strategies_makes_the_picture_taller_and_is_not_cut_off()
    {
        var twelve = SampleRuns.Digits(12);
        using var picture = Decode(AccuracyPlot.RenderPng(
            twelve with { Strategies = [.. twelve.Strategies, .. twelve.Strategies, .. twelve.Strategies] }));

        Assert.True(picture.Height > AccuracyPlot.Height);
        Assert.Equal(0, Ink(picture, AccuracyPlot.Width - 10, 0, 10, picture.Height));
    }

    [Fact]
    public void Curves_have_text_on_their_axes_and_in_the_legend()
    {
        using var picture = Decode(AccuracyPlot.RenderPng(SampleRuns.Digits()));

        Assert.True(Ink(picture, 0, 0, 40, 1080) > 200, "name of the vertical axis");
        Assert.True(Ink(picture, 300, 1030, 1100, 50) > 200, "name of the horizontal axis");
        Assert.True(Ink(picture, 1450, 400, 450, 250) > 500, "legend");
        Assert.True(Ink(picture, 300, 0, 900, 60) > 500, "title");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(12)]
    public void Matrices_are_laid_out_in_a_grid_with_cells_and_a_scale(int strategies)
    {
        using var picture = Decode(MatrixPlot.RenderPng(SampleRuns.Digits(strategies)));

        Assert.InRange(picture.Width, 720, 4000);
        Assert.InRange(picture.Height, 400, 4000);
        var best = HeatScale.ColourOf(0.99);
        Assert.Contains(new SKColor(best.R, best.G, best.B), Colours(picture));
        Assert.True(Colours(picture).Count > 100, "the colour bar has many colours");
    }

    [Fact]
    public void Odd_runs_are_drawn_too()
    {
        var digits = SampleRuns.Digits(2);
        var stopped = digits with
        {
            Strategies =
            [
                digits.Strategies[0] with { Accuracy = [[0.9]], AccuracySoFar = [double.NaN] },
                digits.Strategies[1] with { Accuracy = [], AccuracySoFar = [], Costs = [] },
            ],
        };
        foreach (var run in new[]
        {
            SampleRuns.Of("nothing", 0, []),
            SampleRuns.Of("one", 2, [new("all", ["a", "b"])]),
            SampleRuns.Of("domains", 2, [new("noon", ["a", "b"]), new("night", ["a", "b"])])
                with { Strategies = digits.Strategies },
            SampleRuns.WithHostileLabels(),
            SampleRuns.WithManyGroups(60),
            stopped,
        })
        {
            using var curves = Decode(AccuracyPlot.RenderPng(run));
            using var matrices = Decode(MatrixPlot.RenderPng(run));
            Assert.True(Colours(curves).Count > 1 && Colours(matrices).Count > 1, run.Experiment);
        }
    }

    [Fact]
    public void Labels_need_no_installed_font()
    {
        PlotFonts.Register();

        Assert.Equal(PlotFonts.Embedded, PlotFonts.For("Elastic weight consolidation (λ = 5,000) – 97.3 % −1.2…"));
        Assert.Equal("Inter", ScottPlot.Fonts.GetTypeface(PlotFonts.Embedded, false, false).FamilyName);
        Assert.True(ScottPlot.Fonts.GetTypeface(PlotFonts.Embedded, true, false).FontWeight >= 600);
    }

    [Fact]
    public void Labels_become_one_short_line()
    {
        Assert.Equal("a b", PlotLabel.Of("a\nb", 10));
        Assert.Equal("evil", PlotLabel.Of("\u202Eevil", 10));
        Assert.Equal("abcd…", PlotLabel.Of("abcdefgh", 5));
        Assert.Equal("ab…", PlotLabel.Of("ab😀cdef", 4));
    }

    private static SKBitmap Decode(byte[] png)
    {
        Assert.Equal(s_signature, png[..8]);
        return SKBitmap.Decode(png);
    }

    private static HashSet<SKColor> Colours(SKBitmap picture) => [.. picture.Pixels];

    private static int Ink(SKBitmap picture, int left, int top, int width, int height)
    {
        var dark = 0;
        for (var y = top; y < top + height; y++)
            for (var x = left; x < left + width; x++)
                if (picture.GetPixel(x, y) is { Red: < 128, Green: < 128, Blue: < 128 }) dark++;
        return dark;
    }
}
