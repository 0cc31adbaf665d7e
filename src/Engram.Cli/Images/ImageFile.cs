using SkiaSharp;
using TorchSharp;

namespace Engram.Cli.Images;

/// <summary>Reads PNG and JPEG images as samples of a model.</summary>
/// <remarks>
/// Colours become grey by ITU-R BT.601 luma (0.299, 0.587, 0.114); grey images fill all channels of a colour model; what is
/// transparent lies on white. An image of another size is refused, or with <c>resize</c> scaled to the model's height and
/// width (linear, with mipmaps; its proportions are not kept). A model that learnt floats gets pixels as 0 to 1.
/// </remarks>
internal static class ImageFile
{
    private const long MostPixels = 100_000_000;

    private static readonly string[] s_extensions = [".png", ".jpg", ".jpeg"];

    /// <summary>Whether a path is an image by its name.</summary>
    public static bool IsImage(string path) => s_extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>The images of a path: itself, or those directly in the folder, by name.</summary>
    /// <exception cref="InvalidDataException">A folder without images.</exception>
    public static string[] Find(string path)
    {
        if (!Directory.Exists(path)) return [path];
        string[] files = [.. Directory.EnumerateFiles(path).Where(IsImage).Order(StringComparer.Ordinal)];
        return files.Length > 0
            ? files
            : throw new InvalidDataException($"{path}: no images here, expected files that end in {string.Join(", ", s_extensions)}");
    }

    /// <summary>Reads one image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">What the model wants: [height, width] or [1 or 3, height, width].</param>
    /// <param name="type">Byte or Float32.</param>
    /// <param name="resize">Whether an image of another size is scaled.</param>
    /// <returns><c>[1, ...shape]</c> in the caller's scope.</returns>
    /// <exception cref="InvalidDataException">No image, or one that does not fit; the message names the file.</exception>
    public static torch.Tensor Read(string path, IReadOnlyList<long> shape, torch.ScalarType type, bool resize)
    {
        var (channels, height, width) = shape switch
        {
            [var h, var w] => (1L, h, w),
            [1 or 3, var h, var w] => (shape[0], h, w),
            _ => throw new InvalidDataException(
                $"{path}: an image, but the model learnt samples of [{string.Join(", ", shape)}], expected a file of those"),
        };
        using var scope = torch.NewDisposeScope();
        using var bitmap = Pixels(path, (int)height, (int)width, resize);
        var values = Values(bitmap, (int)channels);
        var bytes = torch.tensor(values, [1, .. shape], torch.ScalarType.Byte);
        using var largest = 255f.ToScalar();
        return (type == torch.ScalarType.Byte ? bytes : bytes.to(type).div(largest)).MoveToOuterDisposeScope();
    }

    /// <summary>Reads one image as bytes, scaled to a shape.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">[channels, height, width].</param>
    /// <exception cref="InvalidDataException">No image; the message names the file.</exception>
    public static byte[] Bytes(string path, IReadOnlyList<long> shape)
    {
        using var bitmap = Pixels(path, (int)shape[1], (int)shape[2], resize: true);
        return Values(bitmap, (int)shape[0]);
    }

    private static SKBitmap Pixels(string path, int height, int width, bool resize)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file, expected a PNG or JPEG image", path);
        using var data = SKData.Create(path) ?? throw new InvalidDataException($"{path}: cannot be read, expected a PNG or JPEG image");
        using var codec = SKCodec.Create(data);
        if (codec is null || codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg))
            throw new InvalidDataException($"{path}: no image, expected PNG or JPEG");
        var (own, wanted) = (codec.Info, new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul));
        // The header decides how much is allocated, so it is bounded first.
        if ((long)own.Width * own.Height > MostPixels)
            throw new InvalidDataException($"{path}: {own.Width} × {own.Height} pixels, expected at most {MostPixels}");
        if (!resize && (own.Width != width || own.Height != height))
            throw new InvalidDataException(
                $"{path}: {own.Width} × {own.Height} pixels, expected {width} × {height} (--resize scales images)");
        using var decoded = new SKBitmap(new SKImageInfo(own.Width, own.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        if (codec.GetPixels(decoded.Info, decoded.GetPixels()) != SKCodecResult.Success)
            throw new InvalidDataException($"{path}: damaged, expected a whole image");
        var drawn = new SKBitmap(wanted);
        using var canvas = new SKCanvas(drawn);
        canvas.Clear(SKColors.White);
        using var image = SKImage.FromBitmap(decoded);
        canvas.DrawImage(image, new SKRect(0, 0, width, height), own.Width == width && own.Height == height
            ? new SKSamplingOptions(SKFilterMode.Nearest)
            : new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        canvas.Flush();
        return drawn;
    }

    // [channels, height, width] from pixels of 4 bytes.
    private static byte[] Values(SKBitmap bitmap, int channels)
    {
        ReadOnlySpan<byte> pixels = bitmap.GetPixelSpan();
        var count = bitmap.Width * bitmap.Height;
        var values = new byte[channels * count];
        for (var i = 0; i < count; i++)
        {
            var (red, green, blue) = (pixels[4 * i], pixels[(4 * i) + 1], pixels[(4 * i) + 2]);
            if (channels == 1) values[i] = (byte)Math.Round((0.299 * red) + (0.587 * green) + (0.114 * blue));
            else (values[i], values[count + i], values[(2 * count) + i]) = (red, green, blue);
        }
        return values;
    }
}
