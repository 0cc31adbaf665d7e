using Engram.Server.Inputs;
using SkiaSharp;
using TorchSharp;

namespace Engram.Cli.Images;

/// <summary>Reads PNG and JPEG images as samples of a model.</summary>
/// <remarks>
/// Pixels are those of <see cref="ImagePixels"/>: an image of another size is refused, or with <c>resize</c> scaled. A model that
/// learnt floats gets them as 0 to 1.
/// </remarks>
internal static class ImageFile
{
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
        var bytes = torch.tensor(Pixels(path, (int)channels, (int)height, (int)width, resize), [1, .. shape], torch.ScalarType.Byte);
        using var largest = 255f.ToScalar();
        return (type == torch.ScalarType.Byte ? bytes : bytes.to(type).div(largest)).MoveToOuterDisposeScope();
    }

    /// <summary>Reads one image as bytes, scaled to a shape.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">[channels, height, width].</param>
    /// <exception cref="InvalidDataException">No image; the message names the file.</exception>
    public static byte[] Bytes(string path, IReadOnlyList<long> shape) =>
        Pixels(path, (int)shape[0], (int)shape[1], (int)shape[2], resize: true);

    private static byte[] Pixels(string path, int channels, int height, int width, bool resize)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file, expected a PNG or JPEG image", path);
        using var data = SKData.Create(path) ?? throw new InvalidDataException($"{path}: cannot be read, expected a PNG or JPEG image");
        return ImagePixels.Read(data, path, channels, height, width, resize, " (--resize scales images)");
    }
}
