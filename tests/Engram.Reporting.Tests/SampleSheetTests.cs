using SkiaSharp;

namespace Engram.Reporting.Tests;

public class SampleSheetTests
{
    [Fact]
    public void A_sheet_shows_every_image_at_its_place_in_its_brightness()
    {
        var pixels = new float[5 * 28 * 28];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = i / 784 * 0.2f;
        using var sheet = SKBitmap.Decode(SampleSheet.RenderPng(pixels, 28, 28, columns: 3));
        Assert.Equal((2 + (3 * 58), 2 + (2 * 58)), (sheet.Width, sheet.Height));
        for (var n = 0; n < 5; n++)
        {
            var colour = sheet.GetPixel(2 + (n % 3 * 58) + 28, 2 + (n / 3 * 58) + 28);
            Assert.Equal((byte)(n * 51), colour.Red);
            Assert.Equal(colour.Red, colour.Blue);
        }
    }

    [Fact]
    public void Colours_are_channels_and_numbers_outside_are_clamped()
    {
        using var sheet = SKBitmap.Decode(SampleSheet.RenderPng([7, 7, 7, 7, -3, -3, -3, float.NaN, 0.6f, 0.6f, 0.6f, 0.6f], 2, 2, channels: 3));
        Assert.Equal(new SKColor(255, 0, 153), sheet.GetPixel(10, 10));
    }

    [Fact]
    public void Numbers_that_are_no_whole_images_are_refused()
    {
        Assert.Contains("pixels: 5 numbers", Assert.Throws<ArgumentException>(() => SampleSheet.RenderPng(new float[5], 2, 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SampleSheet.RenderPng([], 2, 2));
        Assert.Throws<ArgumentException>(() => SampleSheet.RenderPng(new float[8], 2, 2, channels: 2));
        Assert.Contains("at most 8000", Assert.Throws<ArgumentException>(() => SampleSheet.RenderPng(new float[18000], 9000, 2)).Message, StringComparison.Ordinal);
    }
}
