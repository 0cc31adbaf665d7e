using Engram.Evaluation.Tuning;
using ScottPlot;

namespace Engram.Reporting.Tuning;

/// <summary>What a search found between learning the new and keeping the old: a point per measurement, the chosen ones marked.</summary>
public static class TradeOffPlot
{
    private const int Width = 1440;
    private const int Height = 1080;
    private const float Scale = 1.5f;

    private static readonly Color s_tried = Color.FromHex("#1F5FBF");
    private static readonly Color s_less = Color.FromHex("#9AA5B1");
    private static readonly Color s_chosen = Color.FromHex("#C2410C");

    /// <summary>Draws the picture on white; the line joins what nothing measured on as much is better than in both.</summary>
    /// <param name="results">What was measured.</param>
    /// <returns>A PNG of 1440 × 1080 pixels.</returns>
    public static byte[] RenderPng(TuningResults results)
    {
        ArgumentNullException.ThrowIfNull(results);
        PlotFonts.Register();
        using var plot = new Plot();
        plot.ScaleFactor = Scale;
        TuningRow[] both = [.. results.Rows.Where(row => double.IsFinite(row.Old) && double.IsFinite(row.New))];
        Draw(plot, [.. both.Where(row => row.Share < 1 && !row.IsChosen)], s_less, "tried on a part of the samples", MarkerShape.OpenCircle);
        Draw(plot, [.. both.Where(row => row.Share == 1 && !row.IsChosen)], s_tried, "tried", MarkerShape.FilledCircle);
        // Attempts of different experiences have different pasts, so that no line joins them.
        if (results.Choices is null) Front(plot, [.. both.Where(row => row.Share == 1)]);
        Draw(plot, [.. both.Where(row => row.IsChosen)], s_chosen, "chosen", MarkerShape.FilledDiamond);
        Label(plot, results, both.Length);
        return plot.GetImageBytes(Width, Height, ImageFormat.Png);
    }

    /// <summary>The measurements that none is better than in both, from old to new.</summary>
    internal static IReadOnlyList<TuningRow> FrontOf(IReadOnlyList<TuningRow> rows)
    {
        var front = new List<TuningRow>();
        foreach (var row in rows.OrderByDescending(row => row.New).ThenByDescending(row => row.Old))
            if (front.Count == 0 || row.Old > front[^1].Old) front.Add(row);
        return front;
    }

    private static void Draw(Plot plot, TuningRow[] rows, Color colour, string name, MarkerShape shape)
    {
        if (rows.Length == 0) return;
        var markers = plot.Add.Scatter(rows.Select(Place).ToArray(), colour);
        (markers.LineWidth, markers.MarkerShape, markers.MarkerSize, markers.MarkerLineWidth) = (0, shape, shape == MarkerShape.FilledDiamond ? 16 : 10, 2.2f);
        markers.LegendText = name;
    }

    private static void Front(Plot plot, TuningRow[] rows)
    {
        if (FrontOf(rows) is not { Count: > 1 } front) return;
        var line = plot.Add.Scatter(front.Select(Place).ToArray(), s_tried);
        (line.LineWidth, line.MarkerSize, line.LinePattern) = (1.6f, 0, LinePattern.Dashed);
    }

    private static Coordinates Place(TuningRow row) => new(100 * row.New, 100 * row.Old);

    private static void Label(Plot plot, TuningResults results, int points)
    {
        var title = $"{PlotLabel.Of(results.Experiment, 40)}, {PlotLabel.Of(results.Strategy, 40)}: old against new, on validation samples";
        (plot.Axes.Title.Label.Text, plot.Axes.Title.Label.FontSize) = (title, 18);
        plot.Axes.Title.Label.FontName = PlotFonts.For(title);
        plot.Axes.Left.Label.Text = "Accuracy on what is old, at the end (%)";
        plot.Axes.Bottom.Label.Text = "Accuracy on what is new (%)";
        foreach (var side in new IAxis[] { plot.Axes.Left, plot.Axes.Bottom })
        {
            (side.Label.FontName, side.Label.FontSize) = (PlotFonts.Embedded, 16);
            (side.TickLabelStyle.FontName, side.TickLabelStyle.FontSize) = (PlotFonts.Embedded, 14);
        }
        plot.Grid.MajorLineColor = Color.FromHex("#DDE3EA");
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        if (points == 0) return;
        plot.Axes.Margins(0.08, 0.08);
        var legend = plot.ShowLegend(Edge.Bottom).Legend;
        (legend.FontName, legend.FontSize, legend.OutlineWidth) = (PlotFonts.Embedded, 15, 0);
        legend.ShadowColor = Colors.Transparent;
        legend.Orientation = Orientation.Horizontal;
    }
}
