using SkiaSharp;

namespace Engram.Server.Inputs;

/// <summary>
/// Reads PNG and JPEG as pixels of an exact size: colours become grey by ITU-R BT.601 luma (0.299, 0.587, 0.114) for one channel, grey fills
/// all three, and what is transparent lies on white.
/// </summary>
internal static class ImagePixels
{
    private const long MostPixels = 100_000_000;

    /// <summary>Pixels <c>[channels, height, width]</c>.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="resize">Whether an image of another size is scaled (linear, with mipmaps; its proportions are not kept).</param>
    /// <param name="advice">Ends the message that the size is wrong.</param>
    /// <exception cref="InvalidDataException">No image, a damaged one, or one of another size.</exception>
    public static byte[] Read(SKData file, string name, int channels, int height, int width, bool resize, string advice = "")
    {
        // What is wanted may come from a file too, the manifest of a bundle.
        if ((long)width * height is < 1 or > MostPixels)
            throw new InvalidDataException($"{name}: {width} × {height} pixels wanted, expected 1 to {MostPixels}");
        using var codec = SKCodec.Create(file);
        if (codec is null || codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg))
            throw new InvalidDataException($"{name}: no image, expected PNG or JPEG");
        var own = codec.Info;
        var fits = own.Width == width && own.Height == height;
        // The header decides how much is allocated, so it is asked first.
        if (!resize && !fits) throw new InvalidDataException($"{name}: {own.Width} × {own.Height} pixels, expected {width} × {height}{advice}");
        if ((long)own.Width * own.Height > MostPixels)
            throw new InvalidDataException($"{name}: {own.Width} × {own.Height} pixels, expected at most {MostPixels}");
        using var decoded = new SKBitmap(new SKImageInfo(own.Width, own.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        if (codec.GetPixels(decoded.Info, decoded.GetPixels()) != SKCodecResult.Success)
            throw new InvalidDataException($"{name}: damaged, expected a whole image");
        using var drawn = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul));
        using var canvas = new SKCanvas(drawn);
        canvas.Clear(SKColors.White);
        using var image = SKImage.FromBitmap(decoded);
        canvas.DrawImage(image, new SKRect(0, 0, width, height), fits
            ? new SKSamplingOptions(SKFilterMode.Nearest)
            : new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        canvas.Flush();
        return Planes(drawn.GetPixelSpan(), channels, height * width);
    }

    // From pixels of 4 bytes.
    private static byte[] Planes(ReadOnlySpan<byte> pixels, int channels, int count)
    {
        var planes = new byte[channels * count];
        for (var i = 0; i < count; i++)
        {
            var (red, green, blue) = (pixels[4 * i], pixels[(4 * i) + 1], pixels[(4 * i) + 2]);
            if (channels == 1) planes[i] = (byte)Math.Round((0.299 * red) + (0.587 * green) + (0.114 * blue));
            else (planes[i], planes[count + i], planes[(2 * count) + i]) = (red, green, blue);
        }
        return planes;
    }
}
