using Engram.Evaluation.Benchmarks;
using ScottPlot;

namespace Engram.Reporting.Benchmarks;

/// <summary>A benchmark as a picture: our means with two standard errors, the published ones beside them.</summary>
public static class BenchmarkPlot
{
    private const int Width = 1920;
    private const int Row = 44;
    private const int Frame = 230;
    private const float Scale = 1.5f;

    private static readonly Color s_ours = Color.FromHex("#1F5FBF");
    private static readonly Color s_published = Color.FromHex("#C2410C");

    /// <summary>Draws one row per method and scenario.</summary>
    /// <param name="table">The table.</param>
    /// <returns>A PNG, 1920 pixels wide.</returns>
    public static byte[] RenderPng(BenchmarkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        PlotFonts.Register();
        using var plot = new Plot();
        plot.ScaleFactor = Scale;
        BenchmarkEntry[] entries = [.. table.Entries.Reverse()];
        Draw(plot, [.. entries.Select((entry, row) => (row - 0.13, entry.Measured.Mean, entry.Measured.Sem))], s_ours, "ours ± 2 SEM", MarkerShape.FilledCircle);
        Draw(plot, [.. entries.Select((entry, row) => (row + 0.13, entry.Published?.Mean ?? double.NaN, entry.Published?.Sem ?? double.NaN))
            .Where(point => double.IsFinite(point.Item2))], s_published, "published ± 2 SEM", MarkerShape.OpenDiamond);
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. entries.Select((entry, row) => new Tick(row, $"{entry.Title}, {table.NameOf(entry.Scenario)}"))]);
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericFixedInterval(10);
        plot.Axes.SetLimits(-2, 102, -0.8, entries.Length - 0.2);
        Label(plot, table);
        return plot.GetImageBytes(Width, Frame + (int)(Scale * Row * entries.Length), ImageFormat.Png);
    }

    private static void Draw(Plot plot, (double Row, double Mean, double Sem)[] points, Color colour, string name, MarkerShape shape)
    {
        if (points.Length == 0) return;
        foreach (var (row, mean, sem) in points.Where(point => double.IsFinite(point.Sem)))
        {
            var bar = plot.Add.Line(mean - (2 * sem), row, mean + (2 * sem), row);
            (bar.Color, bar.LineWidth) = (colour, 2.2f);
        }
        var markers = plot.Add.Scatter(points.Select(point => new Coordinates(point.Mean, point.Row)).ToArray(), colour);
        (markers.LineWidth, markers.MarkerShape, markers.MarkerSize, markers.MarkerLineWidth) = (0, shape, 10, 2.2f);
        markers.LegendText = name;
    }

    private static void Label(Plot plot, BenchmarkTable table)
    {
        var title = $"{table.Title}: accuracy on all contexts at the end" + (table.IsShort ? " (protocol shortened)" : "");
        (plot.Axes.Title.Label.Text, plot.Axes.Title.Label.FontSize) = (title, 20);
        plot.Axes.Title.Label.FontName = PlotFonts.For(title);
        plot.Axes.Title.FullFigureCenter = true;
        plot.Axes.Bottom.Label.Text = "Accuracy (%)";
        foreach (var side in new IAxis[] { plot.Axes.Left, plot.Axes.Bottom })
        {
            (side.Label.FontName, side.Label.FontSize) = (PlotFonts.Embedded, 16);
            (side.TickLabelStyle.FontName, side.TickLabelStyle.FontSize) = (PlotFonts.Embedded, 14);
        }
        plot.Grid.MajorLineColor = Color.FromHex("#DDE3EA");
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        var legend = plot.ShowLegend(Edge.Bottom).Legend;
        (legend.FontName, legend.FontSize, legend.OutlineWidth) = (PlotFonts.Embedded, 15, 0);
        legend.ShadowColor = Colors.Transparent;
        legend.Orientation = Orientation.Horizontal;
    }
}
