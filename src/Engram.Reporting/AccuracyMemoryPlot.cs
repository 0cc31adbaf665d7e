using ScottPlot;

namespace Engram.Reporting;

/// <summary>One measured way of spending memory.</summary>
/// <param name="Series">What is varied, for example <c>patches</c>.</param>
/// <param name="Point">Which point of it, for example <c>32</c>.</param>
/// <param name="Bytes">Memory of the model, statistics included.</param>
/// <param name="Accuracy">0 to 1.</param>
public sealed record AccuracyMemoryPoint(string Series, string Point, long Bytes, double Accuracy);

/// <summary>Accuracy against memory, one line per series, memory on a logarithmic scale.</summary>
public static class AccuracyMemoryPlot
{
    private static readonly string[] s_colours = ["#0B6E99", "#D1495B", "#3A7D44", "#7B4B94"];

    /// <summary>Draws the curve on white.</summary>
    /// <param name="title">What was measured.</param>
    /// <param name="points">The points, in any order.</param>
    /// <param name="memory">What the memory is, under the axis.</param>
    /// <returns>A PNG of 1,440 × 900 pixels.</returns>
    /// <exception cref="ArgumentException">No points, or memory that is not positive.</exception>
    public static byte[] RenderPng(string title, IReadOnlyList<AccuracyMemoryPoint> points, string memory = "Memory: statistics, head and features (MB)")
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(points);
        if (points.Count == 0 || points.Any(point => point.Bytes < 1))
            throw new ArgumentException($"points: {points.Count}, expected 1 or more of 1 byte or more", nameof(points));
        PlotFonts.Register();
        using var plot = new Plot();
        plot.ScaleFactor = 1.5f;
        foreach (var (series, index) in points.GroupBy(point => point.Series).Select((group, i) => (group, i)))
        {
            var ordered = series.OrderBy(point => point.Bytes).ToArray();
            var line = plot.Add.Scatter(
                ordered.Select(point => new Coordinates(Math.Log10(point.Bytes / 1e6), 100 * point.Accuracy)).ToArray(),
                Color.FromHex(s_colours[index % s_colours.Length]));
            (line.LineWidth, line.MarkerSize, line.LegendText) = (2.2f, 10, series.Key);
            foreach (var (point, place) in ordered.Zip(line.Data.GetScatterPoints()))
            {
                var label = plot.Add.Text(point.Point, place);
                (label.LabelFontSize, label.LabelFontName, label.OffsetY) = (12, PlotFonts.Embedded, 6);
            }
        }
        Label(plot, title, memory);
        return plot.GetImageBytes(1440, 900, ImageFormat.Png);
    }

    private static void Label(Plot plot, string title, string memory)
    {
        plot.Axes.Title.Label.Text = title;
        plot.Axes.Title.Label.FontName = PlotFonts.For(title);
        plot.Axes.Left.Label.Text = "Accuracy (%)";
        plot.Axes.Bottom.Label.Text = memory;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. new[] { 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500 }
                .Select(mb => new Tick(Math.Log10(mb), mb.ToString(System.Globalization.CultureInfo.InvariantCulture)))]);
        foreach (var side in new IAxis[] { plot.Axes.Left, plot.Axes.Bottom })
            side.Label.FontName = side.TickLabelStyle.FontName = PlotFonts.Embedded;
        plot.ShowLegend(Alignment.LowerRight).FontName = PlotFonts.Embedded;
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
    }
}
