using Engram.Evaluation;
using ScottPlot;
using SkiaSharp;

namespace Engram.Reporting;

/// <summary>The accuracy matrices of a run as heat maps, one panel per strategy.</summary>
public static class MatrixPlot
{
    private const int Heading = 62;
    private const int Footer = 74;
    private const int Gap = 24;
    private const int LargestSide = 8000;

    /// <summary>Draws R[i][j]: rows after learning group i, columns tested on group j, cells in %.</summary>
    /// <param name="results">What was measured; strategies may have stopped early.</param>
    /// <returns>A PNG whose size follows the number of strategies and groups.</returns>
    public static byte[] RenderPng(RunResults results)
    {
        ArgumentNullException.ThrowIfNull(results);
        PlotFonts.Register();
        var panel = MatrixPanel.For(results.Groups);
        var count = Math.Max(1, results.Strategies.Count);
        var columns = Columns(count);
        var rows = (count + columns - 1) / columns;
        var width = Math.Max(720, Gap + columns * (panel.Width + Gap));
        var height = Heading + rows * (panel.Height + Gap) + Footer;
        var scale = Math.Clamp((float)LargestSide / Math.Max(width, height), 0.25f, 2f);

        using var surface = SKSurface.Create(new SKImageInfo((int)(width * scale), (int)(height * scale)));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        canvas.Scale(scale);
        var experiment = PlotLabel.Fit(results.Experiment, 20, width - 520);
        DrawText(canvas, $"{experiment}: accuracy on each group after each experience",
            Gap, 40, 20, bold: true);
        for (var i = 0; i < results.Strategies.Count; i++)
        {
            var left = Gap + i % columns * (panel.Width + Gap);
            var top = Heading + i / columns * (panel.Height + Gap);
            canvas.Save();
            canvas.Translate(left, top);
            // A plot clears all it may draw on.
            canvas.ClipRect(new SKRect(0, 0, panel.Width, panel.Height));
            using (var plot = panel.Draw(results.Strategies[i])) plot.Render(canvas, panel.Width, panel.Height);
            canvas.Restore();
        }
        DrawScale(canvas, width, height);
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    private static int Columns(int count) => count switch { <= 3 => count, 4 => 2, <= 9 => 3, _ => 4 };

    // The colour bar: 0 % to 100 %, with its unit.
    private static void DrawScale(SKCanvas canvas, int width, int height)
    {
        const int length = 360;
        var left = (width - length) / 2;
        var top = height - Footer + 12;
        using var paint = new SKPaint();
        for (var x = 0; x < length; x++)
        {
            var colour = HeatScale.ColourOf(x / (double)(length - 1));
            paint.Color = new SKColor(colour.R, colour.G, colour.B);
            canvas.DrawRect(left + x, top, 1.5f, 16, paint);
        }
        foreach (var percent in new[] { 0, 25, 50, 75, 100 })
            DrawText(canvas, $"{percent}", left + length * percent / 100f, top + 34, 13, align: SKTextAlign.Center);
        DrawText(canvas, "Accuracy (%)", left - 14, top + 13, 14, align: SKTextAlign.Right);
        DrawText(canvas, "blank: not yet learnt", left + length + 14, top + 13, 14);
    }

    private static void DrawText(SKCanvas canvas, string text, float x, float y, float size, bool bold = false,
        SKTextAlign align = SKTextAlign.Left)
    {
        var family = PlotFonts.For(text);
        using var font = new SKFont(Fonts.GetTypeface(family, bold, italic: false), size);
        using var paint = new SKPaint { Color = new SKColor(0x1B, 0x24, 0x30), IsAntialias = true };
        canvas.DrawText(text, x, y, align, font, paint);
    }
}
