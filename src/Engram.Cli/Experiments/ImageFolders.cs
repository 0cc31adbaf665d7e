using Engram.Cli.Images;
using Engram.Data;
using Engram.Evaluation;

namespace Engram.Cli.Experiments;

/// <summary>Images of the user's own in folders named after their labels; they stay on disk and are scaled as they are read.</summary>
internal static class ImageFolders
{
    /// <summary>What a file calls this source.</summary>
    public const string Name = "images";

    /// <summary>What the folder holds, for messages.</summary>
    public const string Content = "train/<label>/ and test/<label>/ with PNG or JPEG images";

    private const string Training = "train";
    private const string Test = "test";

    /// <summary>The files of the training images.</summary>
    /// <param name="folder">Where <c>train</c> is.</param>
    /// <exception cref="InvalidDataException">No folder, no label in it, or a label without images.</exception>
    public static IReadOnlyList<string> TrainingFiles(string folder) => [.. In(Path.Combine(folder, Training)).Select(file => file.Path)];

    /// <summary>The files of all images.</summary>
    /// <param name="folder">Where <c>train</c> and <c>test</c> are.</param>
    /// <exception cref="InvalidDataException">No folder, no label in it, or a label without images.</exception>
    public static IReadOnlyList<string> Files(string folder) =>
        [.. TrainingFiles(folder), .. In(Path.Combine(folder, Test)).Select(file => file.Path)];

    /// <summary>The training images.</summary>
    /// <param name="folder">Where <c>train</c> is.</param>
    /// <param name="shape"><c>[channels, height, width]</c>.</param>
    /// <exception cref="InvalidDataException">No folder, no label in it, or a label without images.</exception>
    public static ISampleSource LoadTraining(string folder, IReadOnlyList<long> shape) => Load(Path.Combine(folder, Training), shape);

    /// <summary>The test images.</summary>
    /// <param name="folder">Where <c>test</c> is.</param>
    /// <param name="shape"><c>[channels, height, width]</c>.</param>
    /// <exception cref="InvalidDataException">No folder, no label in it, or a label without images.</exception>
    public static EvaluationSet LoadTest(string folder, IReadOnlyList<long> shape) => new("test", Load(Path.Combine(folder, Test), shape));

    private static ImageFiles Load(string half, IReadOnlyList<long> shape) => new(In(half), shape, file => ImageFile.Bytes(file, shape));

    private static (string Path, Label Label)[] In(string half)
    {
        if (!Directory.Exists(half)) throw new InvalidDataException($"{half}: no such folder, expected one of images for each label in it");
        var labels = Directory.EnumerateDirectories(half).Where(folder => Path.GetFileName(folder)[0] != '.').Order(StringComparer.Ordinal);
        (string, Label)[] files = [.. labels.SelectMany(folder => ImageFile.Find(folder).Select(file => (file, (Label)Path.GetFileName(folder))))];
        return files.Length > 0 ? files : throw new InvalidDataException($"{half}: no class, expected a folder of images for each label");
    }
}
