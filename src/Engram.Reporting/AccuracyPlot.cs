using Engram.Evaluation;
using ScottPlot;

namespace Engram.Reporting;

/// <summary>The learning curves of a run: accuracy over all classes so far, one line per strategy.</summary>
public static class AccuracyPlot
{
    /// <summary>Width of the picture in pixels.</summary>
    public const int Width = 1920;

    /// <summary>Least height of the picture in pixels; it grows with the legend.</summary>
    public const int Height = 1080;

    private const int LegendRow = 39;
    private const int LegendMargin = 200;
    private const float Scale = 1.5f;
    // As wide as a digit, so that percentages align.
    private const char FigureSpace = '\u2007';
    private const float TitleSize = 20;
    private const int MostTicks = 12;

    /// <summary>Draws the curves on white; the legend names the final accuracies, best first.</summary>
    /// <param name="results">What was measured; strategies may have stopped early.</param>
    /// <returns>A PNG of <see cref="Width"/> × <see cref="Height"/> pixels, or taller where the legend needs it.</returns>
    public static byte[] RenderPng(RunResults results)
    {
        ArgumentNullException.ThrowIfNull(results);
        PlotFonts.Register();
        using var plot = new Plot();
        plot.ScaleFactor = Scale;
        var axis = LearningAxis.Of(results);
        Head(plot);
        foreach (var summary in StrategySummary.Ranked(results)) Draw(plot, axis, summary);
        Label(plot, axis, results);
        plot.Axes.SetLimits(axis.Minimum, axis.Maximum, -2, 102);
        ShowLegend(plot, results);
        var height = Math.Max(Height, LegendMargin + (LegendRow * (1 + results.Strategies.Count)));
        return plot.GetImageBytes(Width, height, ImageFormat.Png);
    }

    // The heading of the legend is a curve without points: legends know no other way.
    private static void Head(Plot plot)
    {
        var heading = plot.Add.Scatter(Array.Empty<Coordinates>());
        heading.LineWidth = 0;
        heading.MarkerSize = 0;
        heading.LegendText = "Accuracy at the end";
    }

    private static void Draw(Plot plot, LearningAxis axis, StrategySummary summary)
    {
        var style = summary.Style;
        var colour = Color.FromHex(style.Light);
        var points = summary.Result.AccuracySoFar
            .Take(axis.Positions.Count)
            .Select((accuracy, i) => new Coordinates(axis.Positions[i], 100 * accuracy))
            .Where(point => double.IsFinite(point.Y))
            .ToArray();
        var line = plot.Add.Scatter(points, colour);
        line.LineWidth = 2.2f;
        line.LinePattern = style.Dashes.Length == 0 ? LinePattern.Solid : new(style.Dashes, 0, "");
        line.MarkerShape = style.Marker;
        line.MarkerSize = 11;
        line.MarkerLineWidth = 2.2f;
        var final = Quantity.PercentWithSign(summary.Final).PadLeft(6, FigureSpace);
        line.LegendText = $"{final}   {PlotLabel.Of(summary.Result.Title, 34)}";
    }

    private static void Label(Plot plot, LearningAxis axis, RunResults results)
    {
        var title = $"{PlotLabel.Fit(results.Experiment, TitleSize, 330)}: accuracy over all classes so far";
        plot.Axes.Title.Label.Text = title;
        plot.Axes.Title.Label.FontSize = TitleSize;
        plot.Axes.Title.Label.FontName = PlotFonts.For(title);
        plot.Axes.Title.FullFigureCenter = true;
        plot.Axes.Left.Label.Text = "Accuracy (%)";
        plot.Axes.Bottom.Label.Text = axis.Title;
        var ticks = axis.Named(MostTicks)
            .Select(i => new Tick(
                axis.Positions[i],
                $"{axis.Ticks[i].Number}\n{PlotLabel.Of(axis.Ticks[i].Group, 12)}"))
            .ToArray();
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(ticks);
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericFixedInterval(10);
        foreach (var side in new IAxis[] { plot.Axes.Left, plot.Axes.Bottom })
        {
            side.Label.FontName = PlotFonts.Embedded;
            side.Label.FontSize = 16;
            side.TickLabelStyle.FontName = PlotFonts.Embedded;
            side.TickLabelStyle.FontSize = 14;
        }
        plot.Axes.Bottom.TickLabelStyle.FontName =
            PlotFonts.For(string.Concat(axis.Ticks.Select(tick => PlotLabel.Of(tick.Group, 12))));
        plot.Grid.MajorLineColor = Color.FromHex("#DDE3EA");
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
    }

    private static void ShowLegend(Plot plot, RunResults results)
    {
        var legend = plot.ShowLegend(Edge.Right).Legend;
        legend.FontName = PlotFonts.For(string.Concat(results.Strategies.Select(s => PlotLabel.Of(s.Title, 34))));
        legend.FontSize = 15;
        legend.SymbolWidth = 46;
        legend.OutlineWidth = 0;
        legend.ShadowColor = Colors.Transparent;
        legend.BackgroundColor = Colors.White;
        legend.InterItemPadding = new(6, 6, 7, 7);
    }
}
