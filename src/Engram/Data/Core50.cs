using System.Globalization;
using Engram.Evaluation;

namespace Engram.Data;

/// <summary>What is new in a training batch of CORe50.</summary>
public enum Core50Protocol
{
    /// <summary>New instances: 8 batches, each a session (background, light, pose) of all 50 objects.</summary>
    NewInstances,

    /// <summary>New classes: 9 batches, 10 objects first and then 5 each time.</summary>
    NewClasses,

    /// <summary>New instances and classes: 79 batches.</summary>
    NewInstancesAndClasses,
}

/// <summary>
/// CORe50: 50 objects filmed in 11 sessions, three of them for tests only. Lomonaco and Maltoni 2017, "CORe50: a New Dataset and
/// Benchmark for Continuous Object Recognition".
/// </summary>
/// <remarks>
/// Reads the official layout: <c>core50_128x128/s1/o1/C_01_01_000.png</c> (or <c>core50_32x32</c>) and, beside it, the text
/// lists <c>batches_filelists/NI_inc/run0/train_batch_00_filelist.txt</c> and <c>test_filelist.txt</c>, whose lines are a path and a label
/// from 0 to 49. The pickled tables of the authors' loader are not needed, and are not read.
/// </remarks>
public sealed class Core50
{
    /// <summary>How many orders the authors drew for each protocol.</summary>
    public const int Runs = 10;

    private const int Objects = 50;
    private const string TestList = "test_filelist.txt";

    private static readonly string[] s_images = ["core50_128x128", "core50_32x32", "."];

    private readonly string _lists;
    private readonly string _images;
    private readonly IReadOnlyList<long> _shape;
    private readonly Func<string, byte[]> _decode;

    /// <summary>Finds images and lists; no image is opened yet.</summary>
    /// <param name="folder">Where both are.</param>
    /// <param name="protocol">What is new in each batch.</param>
    /// <param name="shape">Shape that <paramref name="decode"/> gives, for example <c>[3, 128, 128]</c>.</param>
    /// <param name="decode">Reads an image file as bytes in that shape.</param>
    /// <exception cref="InvalidDataException">Images or lists are missing; the message says what was expected where.</exception>
    public Core50(string folder, Core50Protocol protocol, IReadOnlyList<long> shape, Func<string, byte[]> decode)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (Protocol, _shape, _decode) = (protocol, shape, decode);
        var name = protocol switch
        {
            Core50Protocol.NewInstances => "NI_inc",
            Core50Protocol.NewClasses => "NC_inc",
            _ => "NIC_inc",
        };
        _lists = new[] { Path.Combine(folder, "batches_filelists", name), Path.Combine(folder, name) }.FirstOrDefault(Directory.Exists)
            ?? throw new InvalidDataException($"{folder}: no batches_filelists/{name}, expected the text lists of CORe50 (batches_filelists.zip)");
        _images = s_images.Select(images => Path.GetFullPath(Path.Combine(folder, images))).FirstOrDefault(images => Directory.Exists(Path.Combine(images, "s1")))
            ?? throw new InvalidDataException($"{folder}: no core50_128x128/s1, expected the images of CORe50 (core50_128x128.zip)");
    }

    /// <summary>What is new in each batch.</summary>
    public Core50Protocol Protocol { get; }

    /// <summary>The training batches of one of the authors' orders.</summary>
    /// <param name="run">0 to 9.</param>
    /// <exception cref="InvalidDataException">A list is missing or damaged; the message names file and line.</exception>
    public IReadOnlyList<ISampleSource> Train(int run)
    {
        var folder = RunFolder(run);
        var lists = TrainingLists(folder);
        return lists.Length == 0
            ? throw new InvalidDataException($"{folder}: no train_batch_00_filelist.txt, expected a list for each training batch")
            : [.. lists.Select(List)];
    }

    /// <summary>The test samples, of the sessions that are never learnt.</summary>
    /// <param name="run">0 to 9.</param>
    /// <exception cref="InvalidDataException">The list is missing or damaged; the message names file and line.</exception>
    public EvaluationSet Test(int run)
    {
        var list = Path.Combine(RunFolder(run), TestList);
        return File.Exists(list)
            ? new EvaluationSet("test", List(list))
            : throw new InvalidDataException($"{list}: no such file, expected the list of test images");
    }

    /// <summary>The files that are read: the lists of the orders that are there, and the images that they name.</summary>
    /// <exception cref="InvalidDataException">A list is damaged; the message names file and line.</exception>
    public IReadOnlyList<string> Files()
    {
        string[] lists = [.. Enumerable.Range(0, Runs).Select(FindRun).OfType<string>()
            .SelectMany(folder => TrainingLists(folder).Append(Path.Combine(folder, TestList))).Where(File.Exists)];
        return [.. lists, .. lists.SelectMany(Named).Select(image => image.Path).Distinct()];
    }

    private static string[] TrainingLists(string run) =>
        [.. Directory.EnumerateFiles(run, "train_batch_*_filelist.txt").Order(StringComparer.Ordinal)];

    // Published archives write run0 and Run0.
    private string? FindRun(int run)
    {
        var name = NameOf(run);
        return Directory.EnumerateDirectories(_lists).FirstOrDefault(folder => Path.GetFileName(folder).Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private static string NameOf(int run) => string.Create(CultureInfo.InvariantCulture, $"run{run}");

    private string RunFolder(int run)
    {
        if (run is < 0 or >= Runs) throw new ArgumentOutOfRangeException(nameof(run), run, $"expected 0 to {Runs - 1}");
        return FindRun(run) ?? throw new InvalidDataException($"{_lists}: no {NameOf(run)}, expected the ten orders of CORe50");
    }

    private ImageFiles List(string list)
    {
        var files = Named(list);
        return files.Count == 0 ? throw new InvalidDataException($"{list}: empty, expected paths and labels") : new ImageFiles(files, _shape, _decode);
    }

    private List<(string Path, Label Label)> Named(string list)
    {
        var files = new List<(string, Label)>();
        var number = 0;
        foreach (var line in File.ReadLines(list))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            var words = line.Trim().Split(' ');
            if (words.Length != 2 || words[0].Contains("..", StringComparison.Ordinal) || Path.IsPathRooted(words[0])
                || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var label) || label >= Objects)
                throw new InvalidDataException($"{list}: line {number}: \"{line}\", expected a path and a label, such as s1/o1/C_01_01_000.png 0");
            files.Add((Path.Combine(_images, words[0]), label));
        }
        return files;
    }
}
