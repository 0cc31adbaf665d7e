using System.Globalization;

namespace Engram.Reporting.Html;

/// <summary>The SVG of the learning curves. Colours are custom properties, so the drawing follows the page's theme.</summary>
internal static class CurvesDrawing
{
    private const double Left = 58;
    private const double Right = 700;
    private const double Top = 14;
    private const double Bottom = 376;
    private const int MostTicks = 8;

    public static Markup Render(LearningAxis axis, IReadOnlyList<StrategySummary> ranked) => Markup.Of($"""
        <svg class="chart" viewBox="0 0 720 456" role="img" aria-labelledby="curves-title curves-text">
        <title id="curves-title">Accuracy over all classes so far, by strategy</title>
        <desc id="curves-text">{Description(axis, ranked)}</desc>
        <g class="grid">{Markup.Each(Enumerable.Range(0, 11), i => Markup.Of($"<path d=\"M{Left} {Y(i / 10.0)}H{Right}\"/>"))}</g>
        <g class="ticks" text-anchor="end">{Markup.Each(Enumerable.Range(0, 6), i =>
            Markup.Of($"<text x=\"{Left - 8}\" y=\"{Y(i / 5.0) + 4}\">{20 * i}</text>"))}</g>
        <g class="ticks" text-anchor="middle">{Markup.Each(axis.Named(MostTicks), i => Tick(axis, i))}</g>
        <text class="name" text-anchor="middle" transform="translate(15 {(Top + Bottom) / 2}) rotate(-90)">Accuracy (%)</text>
        <text class="name" text-anchor="middle" x="{(Left + Right) / 2}" y="446">{axis.Title}</text>
        {Markup.Each(ranked.Reverse(), summary => Curve(axis, summary))}
        </svg>
        """);

    /// <summary>The dash attribute of a strategy's line, if it has one.</summary>
    public static Markup Dashes(SeriesStyle style) => style.Dashes.Length == 0
        ? Markup.None
        : Markup.Of($" stroke-dasharray=\"{string.Join(' ', style.Dashes.Select(d => d.ToString(CultureInfo.InvariantCulture)))}\"");

    /// <summary>The marker of a strategy around the origin.</summary>
    public static Markup Marker(SeriesStyle style) =>
        Markup.Of($"<path class=\"{(style.Filled ? "dot" : "ring")}\" d=\"{style.MarkerPath}\"/>");

    private static string Description(LearningAxis axis, IReadOnlyList<StrategySummary> ranked) =>
        $"Line chart over {axis.Positions.Count} experiences. Final accuracy: "
        + string.Join("; ", ranked.Select(s => $"{s.Result.Title} {Quantity.PercentWithSign(s.Final)}"));

    private static Markup Tick(LearningAxis axis, int i) => Markup.Of($"""
        <text x="{X(axis, i)}" y="{Bottom + 20}">{axis.Ticks[i].Number}<tspan class="group" x="{X(axis, i)}" dy="17">{PlotLabel.Of(axis.Ticks[i].Group, 9)}</tspan></text>
        """);

    private static Markup Curve(LearningAxis axis, StrategySummary summary)
    {
        var values = summary.Result.AccuracySoFar;
        int[] measured =
        [
            .. Enumerable.Range(0, Math.Min(values.Length, axis.Positions.Count)).Where(i => double.IsFinite(values[i])),
        ];
        var path = string.Join('L', measured.Select(i =>
            string.Create(CultureInfo.InvariantCulture, $"{X(axis, i):0.##} {Y(values[i]):0.##}")));
        var line = measured.Length < 2
            ? Markup.None
            : Markup.Of($"<path class=\"line\" d=\"M{path}\"{Dashes(summary.Style)}/>");
        var points = Markup.Each(measured, i => Markup.Of($"""
            <g transform="translate({X(axis, i)} {Y(values[i])})">{Marker(summary.Style)}<title>{summary.Result.Title}: {Quantity.PercentWithSign(values[i])} after {axis.Ticks[i].Group}</title></g>
            """));
        return Markup.Of($"<g class=\"s{summary.Style.Index}\">{line}{points}</g>\n");
    }

    private static double X(LearningAxis axis, int i) =>
        Left + (axis.Positions[i] - axis.Minimum) / (axis.Maximum - axis.Minimum) * (Right - Left);

    private static double Y(double accuracy) => Bottom - Math.Clamp(accuracy, 0, 1) * (Bottom - Top);
}
