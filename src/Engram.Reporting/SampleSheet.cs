using SkiaSharp;

namespace Engram.Reporting;

/// <summary>A sheet of images in a grid, for example of what a generator makes after each experience.</summary>
public static class SampleSheet
{
    private const int Gap = 2;
    private const int SmallestSide = 56; // small images are enlarged to about this
    private const int LargestSide = 8000;

    /// <summary>Draws images row by row.</summary>
    /// <param name="pixels">
    /// Numbers in 0..1 (others are clamped) of whole images, each <c>[channels, height, width]</c>, one after the other.
    /// </param>
    /// <param name="height">Of one image.</param>
    /// <param name="width">Of one image.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="columns">Images in a row.</param>
    /// <returns>A PNG; every pixel of an image is a square of whole pixels.</returns>
    /// <exception cref="ArgumentException">No whole number of images, or a sheet too large to draw.</exception>
    public static byte[] RenderPng(ReadOnlySpan<float> pixels, int height, int width, int channels = 1, int columns = 10)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (channels is not (1 or 3)) throw new ArgumentException($"channels: {channels}, expected 1 or 3", nameof(channels));
        var count = pixels.Length / (channels * height * width);
        if (count == 0 || count * channels * height * width != pixels.Length)
            throw new ArgumentException(
                $"pixels: {pixels.Length} numbers, expected images of {channels} x {height} x {width}, one or more", nameof(pixels));
        columns = Math.Min(columns, count);
        var zoom = Math.Max(1, SmallestSide / Math.Max(height, width));
        var (across, down) = ((width * zoom) + Gap, (height * zoom) + Gap);
        var size = new SKSizeI(Gap + (columns * across), Gap + ((count + columns - 1) / columns * down));
        if (Math.Max(size.Width, size.Height) > LargestSide)
            throw new ArgumentException(
                $"pixels: a sheet of {size.Width} x {size.Height}, expected at most {LargestSide} a side", nameof(pixels));

        using var bitmap = new SKBitmap(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(new SKColor(0x5A, 0x64, 0x70));
        using var paint = new SKPaint { IsAntialias = false };
        for (var n = 0; n < count; n++)
            for (var place = 0; place < height * width; place++)
            {
                var first = (n * channels * height * width) + place;
                var (red, green, blue) = channels == 1 ? (first, first, first) : (first, first + (height * width), first + (2 * height * width));
                paint.Color = new SKColor(Level(pixels[red]), Level(pixels[green]), Level(pixels[blue]));
                var (left, top) = (Gap + (n % columns * across), Gap + (n / columns * down));
                canvas.DrawRect(left + (place % width * zoom), top + (place / width * zoom), zoom, zoom, paint);
            }
        canvas.Flush();
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    private static byte Level(float value) => float.IsNaN(value) ? (byte)0 : (byte)Math.Round(Math.Clamp(value, 0, 1) * 255);
}
