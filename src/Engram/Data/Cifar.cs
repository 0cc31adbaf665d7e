using System.Formats.Tar;
using System.IO.Compression;
using Engram.Evaluation;

namespace Engram.Data;

/// <summary>CIFAR-10 and CIFAR-100 (Krizhevsky 2009): colour images, uint8 <c>[3, 32, 32]</c>, in the binary version's layout.</summary>
/// <param name="Train">Training samples; the official files hold 50,000.</param>
/// <param name="Test">Test samples; the official files hold 10,000.</param>
public sealed record Cifar(ISampleSource Train, EvaluationSet Test)
{
    private const int Pixels = 3 * 32 * 32;

    /// <summary>Reads CIFAR-10: rows of one label byte and 3,072 pixels.</summary>
    /// <param name="path">The archive <c>.tar.gz</c>, or a folder with its files.</param>
    /// <exception cref="InvalidDataException">A file is missing or damaged; the message names it.</exception>
    public static Cifar Load10(string path) => Load(path, Layout.Ten);

    /// <summary>Reads CIFAR-100 with its 100 fine labels: rows of a coarse label, a fine label and 3,072 pixels.</summary>
    /// <param name="path">The archive <c>.tar.gz</c>, or a folder with its files.</param>
    /// <exception cref="InvalidDataException">A file is missing or damaged; the message names it.</exception>
    public static Cifar Load100(string path) => Load(path, Layout.Hundred);

    /// <summary>Reads the training samples of CIFAR-10 or CIFAR-100 alone, for whatever must not see a test sample.</summary>
    /// <param name="path">The archive <c>.tar.gz</c>, or a folder with its files; the test files need not be there.</param>
    /// <param name="classes">10 or 100.</param>
    /// <exception cref="InvalidDataException">A file is missing or damaged; the message names it.</exception>
    public static ISampleSource LoadTraining(string path, int classes)
    {
        ArgumentNullException.ThrowIfNull(path);
        var layout = Layout.Of(classes);
        return Half(path, Read(path, layout, training: true), layout, layout.Train);
    }

    /// <summary>The files that are read: the archive, or those of a folder that belong to the data set.</summary>
    /// <param name="path">The archive <c>.tar.gz</c>, or a folder with its files.</param>
    /// <param name="classes">10 or 100.</param>
    /// <param name="training">Whether only those with training samples are meant; an archive is one file.</param>
    public static IReadOnlyList<string> FilesIn(string path, int classes, bool training = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        return FilesIn(path, Layout.Of(classes), training);
    }

    private static string[] FilesIn(string path, Layout layout, bool training) => Directory.Exists(path)
        ? [.. Directory.EnumerateFiles(path).Where(file => layout.Reads(Path.GetFileName(file), training))]
        : [path];

    private static Cifar Load(string path, Layout layout)
    {
        ArgumentNullException.ThrowIfNull(path);
        var files = Read(path, layout, training: false);
        return new Cifar(Half(path, files, layout, layout.Train), new EvaluationSet("test", Half(path, files, layout, layout.Test)));
    }

    private static TensorSource Half(string path, Dictionary<string, byte[]> files, Layout layout, string prefix)
    {
        var labelBytes = layout.LabelBytes;
        var labels = files.TryGetValue(layout.Names, out var text)
            ? System.Text.Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            : null;
        var parts = files.Where(file => file.Key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(file => file.Key, StringComparer.Ordinal).ToArray();
        if (parts.Length == 0) throw new InvalidDataException($"{path}: no {prefix}, expected the binary version of CIFAR (https://www.cs.toronto.edu/~kriz/cifar.html)");
        foreach (var (name, bytes) in parts)
            if (bytes.Length == 0 || bytes.Length % (labelBytes + Pixels) != 0)
                throw new InvalidDataException(
                    $"{path}: {name} has {bytes.Length} bytes, expected a multiple of {labelBytes + Pixels}");
        return Parse(path, [.. parts.SelectMany(part => part.Value)], labelBytes, labels);
    }

    private static TensorSource Parse(string path, byte[] rows, int labelBytes, string[]? names)
    {
        var length = labelBytes + Pixels;
        var count = rows.Length / length;
        var codes = Enumerable.Range(0, count).Select(row => (int)rows[(row * length) + labelBytes - 1]).ToArray();
        var known = labelBytes == 1 ? 10 : 100;
        if (codes.Max() >= known)
            throw new InvalidDataException($"{path}: label {codes.Max()}, expected 0 to {known - 1}");
        var labels = names?.Length == known ? [.. names.Select(name => (Label)name)] : Label.Numbers(0, known);
        using var scope = NewDisposeScope();
        var pixels = frombuffer(rows, ScalarType.Byte).view(count, length).narrow(1, labelBytes, Pixels);
        return TensorSource.OfClasses(pixels.contiguous().view(count, 3, 32, 32).clone(), codes, labels);
    }

    private static Dictionary<string, byte[]> Read(string path, Layout layout, bool training)
    {
        if (Directory.Exists(path)) return FilesIn(path, layout, training).ToDictionary(file => Path.GetFileName(file)!, File.ReadAllBytes);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file, expected an archive or a folder", path);
        try
        {
            using var unpacked = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using var tar = new TarReader(unpacked);
            var files = new Dictionary<string, byte[]>();
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is not { } data || !layout.Reads(Path.GetFileName(entry.Name), training)) continue;
                using var bytes = new MemoryStream();
                data.CopyTo(bytes);
                files[Path.GetFileName(entry.Name)] = bytes.ToArray();
            }
            return files;
        }
        catch (Exception problem) when (problem is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"{path}: damaged archive ({problem.Message})", problem);
        }
    }

    // Bytes of labels before the pixels, and what the files are called.
    private sealed record Layout(int LabelBytes, string Train, string Test, string Names)
    {
        public static Layout Ten { get; } = new(1, "data_batch_", "test_batch.bin", "batches.meta.txt");

        public static Layout Hundred { get; } = new(2, "train.bin", "test.bin", "fine_label_names.txt");

        public static Layout Of(int classes) => classes switch
        {
            10 => Ten,
            100 => Hundred,
            _ => throw new ArgumentOutOfRangeException(nameof(classes), classes, "expected 10 or 100"),
        };

        public bool Reads(string name, bool training) =>
            name.StartsWith(Train, StringComparison.Ordinal) || name == Names || !training && name.StartsWith(Test, StringComparison.Ordinal);
    }
}
