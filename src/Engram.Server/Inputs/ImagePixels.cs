using SkiaSharp;

namespace Engram.Server.Inputs;

/// <summary>Reads PNG and JPEG as pixels of an exact size: colours become luma for one channel, what is transparent lies on white.</summary>
internal static class ImagePixels
{
    /// <summary>Pixels <c>[channels, height, width]</c>.</summary>
    /// <exception cref="InputException">No image, a damaged one, or one of another size.</exception>
    public static byte[] Read(byte[] file, string field, int channels, int height, int width)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data);
        if (codec is null || codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg))
            throw new InputException(field, $"{field}: no image, expected PNG or JPEG");
        // The header decides how much is allocated, so it is asked first.
        if (codec.Info.Width != width || codec.Info.Height != height)
            throw new InputException(
                field, $"{field}: {codec.Info.Width} × {codec.Info.Height} pixels, expected {width} × {height}");
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) != SKCodecResult.Success)
            throw new InputException(field, $"{field}: damaged, expected a whole image");
        return Planes(bitmap.GetPixelSpan(), bitmap.RowBytes, channels, height, width);
    }

    private static byte[] Planes(ReadOnlySpan<byte> rgba, int rowBytes, int channels, int height, int width)
    {
        var planes = new byte[channels * height * width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var pixel = rgba.Slice((y * rowBytes) + (4 * x), 4);
                var at = (y * width) + x;
                if (channels == 1)
                    planes[at] = OnWhite((0.299 * pixel[0]) + (0.587 * pixel[1]) + (0.114 * pixel[2]), pixel[3]);
                else
                    for (var c = 0; c < 3; c++) planes[(c * height * width) + at] = OnWhite(pixel[c], pixel[3]);
            }
        return planes;
    }

    private static byte OnWhite(double value, byte alpha) => (byte)Math.Round(255 + ((value - 255) * alpha / 255));
}
