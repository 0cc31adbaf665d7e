using Engram.Evaluation;

namespace Engram.Data;

/// <summary>MNIST (LeCun, Cortes and Burges): 60,000 + 10,000 digits, uint8 <c>[1, 28, 28]</c>, labels 0 to 9.</summary>
/// <param name="Train">60,000 training samples.</param>
/// <param name="Test">10,000 test samples.</param>
public sealed record Mnist(ISampleSource Train, EvaluationSet Test)
{
    private static readonly (string Name, string Sha256)[] s_files =
    [
        ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ];

    /// <summary>Reads the four files, each gzipped (<c>.gz</c>) or plain.</summary>
    /// <param name="folder">Where they are.</param>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or is not the published one.</exception>
    public static Mnist Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new Mnist(LoadTraining(folder), new EvaluationSet("test", Half(folder, s_files[2], s_files[3], 10_000)));
    }

    /// <summary>Reads the two training files alone, for whatever must not see a test sample.</summary>
    /// <param name="folder">Where they are; the test files need not be there.</param>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or is not the published one.</exception>
    public static ISampleSource LoadTraining(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return Half(folder, s_files[0], s_files[1], 60_000);
    }

    /// <summary>Reads and checks the four files without keeping them; needs no libtorch.</summary>
    /// <param name="folder">Where they are.</param>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or is not the published one.</exception>
    public static void Verify(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        foreach (var (name, sha256) in s_files)
            IdxFile.Read(Find(folder, name), name.Contains("images", StringComparison.Ordinal) ? 3 : 1, sha256);
    }

    /// <summary>The files that are read, gzipped or plain as they are there.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="training">Whether only those with training samples are meant.</param>
    public static IReadOnlyList<string> FilesIn(string folder, bool training = false)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return [.. s_files.Take(training ? 2 : 4).Select(file => Find(folder, file.Name))];
    }

    private static TensorSource Half(
        string folder, (string Name, string Sha256) images, (string Name, string Sha256) labels, int count)
    {
        var (imageSizes, pixels) = IdxFile.Read(Find(folder, images.Name), 3, images.Sha256);
        var (labelSizes, digits) = IdxFile.Read(Find(folder, labels.Name), 1, labels.Sha256);
        if (!imageSizes.SequenceEqual([count, 28, 28]) || labelSizes[0] != count)
            throw new InvalidDataException(
                $"{folder}: {images.Name} is [{string.Join(", ", imageSizes)}] with {labelSizes[0]} labels, "
                + $"expected [{count}, 28, 28] with {count}");
        using var scope = NewDisposeScope();
        var tensor = frombuffer(pixels, ScalarType.Byte).view(count, 1, 28, 28).clone();
        return TensorSource.OfClasses(tensor, Array.ConvertAll(digits, digit => (int)digit), Label.Numbers(0, 10));
    }

    private static string Find(string folder, string name)
    {
        var plain = Path.Combine(folder, name);
        return File.Exists(plain) ? plain : plain + ".gz";
    }
}
