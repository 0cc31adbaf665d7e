using Engram.Cli.Commands;
using Engram.Cli.Images;
using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Server.Inputs;

namespace Engram.Cli.Experiments;

/// <summary>The data sets that experiments and benchmarks name, where they are and how they are read.</summary>
internal static class DataSets
{
    private const string CifarPage = "https://www.cs.toronto.edu/~kriz/cifar.html";
    private const string Core50Page = "https://vlomonaco.github.io/core50";

    // CIFAR-10's archive by its name on the authors' page, and by that of the folder in it.
    private static readonly Dictionary<string, (string[] Archives, Func<string, Cifar> Load)> s_cifar = new()
    {
        ["cifar-10"] = (["cifar-10-binary.tar.gz", "cifar-10-batches-bin.tar.gz"], Cifar.Load10),
        ["cifar-100"] = (["cifar-100-binary.tar.gz"], Cifar.Load100),
    };

    /// <summary>Their names, as an experiment's file may give them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["mnist", .. s_cifar.Keys];

    /// <summary>Shape of a sample of one of <see cref="Names"/>.</summary>
    public static IReadOnlyList<long> ShapeOf(string name) => name == "mnist" ? [1, 28, 28] : [3, 32, 32];

    /// <summary>Where a data set is.</summary>
    /// <param name="name">One of <see cref="Names"/>, or <c>core50</c>.</param>
    /// <param name="asked">What the user gave, or null.</param>
    /// <param name="wrong">Makes the exception of a message, naming where the user gave it; null for <see cref="DataFolder.Wrong(string)"/>.</param>
    /// <exception cref="UsageException">It is nowhere; the message says where to get it.</exception>
    public static string Find(string name, string? asked, Func<string, UsageException>? wrong = null)
    {
        wrong ??= DataFolder.Wrong;
        if (name == "mnist") return DataFolder.Mnist(asked, wrong);
        var (files, place) = name == Core50Benchmark.Data
            ? ("core50_128x128.zip (or core50_32x32.zip) and batches_filelists.zip, unpacked", Core50Page)
            : ($"the archive {string.Join(" or ", s_cifar[name].Archives)} or a folder with its files", CifarPage);
        if (asked is not null)
            return Directory.Exists(asked) || (File.Exists(asked) && name != Core50Benchmark.Data)
                ? asked
                : throw wrong($"\"{asked}\" is not there, expected {files}, from {place}");
        return FindIn(name, DataFolder.Places())
            ?? throw wrong($"no {name} found {DataFolder.Searched}, expected {files}, from {place}, or --data PATH");
    }

    /// <summary>Where a data set but MNIST is in some places, each itself or its folder of the data set's name; null for nowhere.</summary>
    /// <param name="name">Name of the data set.</param>
    /// <param name="places">Folders of data sets, in the order in which they are looked at.</param>
    public static string? FindIn(string name, IEnumerable<string> places) => name == Core50Benchmark.Data
        ? places.Select(place => Path.Combine(place, name)).FirstOrDefault(Directory.Exists)
        : places.SelectMany(place => new[] { place, Path.Combine(place, name) })
            .SelectMany(folder => s_cifar[name].Archives.Select(archive => Path.Combine(folder, archive)))
            .FirstOrDefault(File.Exists);

    /// <summary>The files that are read of a data set.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="path">Where the data are.</param>
    /// <param name="training">Whether only those with training samples are meant.</param>
    public static IReadOnlyList<string> Files(string name, string path, bool training = false) =>
        name == "mnist" ? Mnist.FilesIn(path, training) : Cifar.FilesIn(path, ClassesOf(name), training);

    /// <summary>Reads the training samples of a data set, and not one of its test samples.</summary>
    public static ISampleSource LoadTraining(string name, string path) => name == "mnist"
        ? Mnist.LoadTraining(path)
        : Cifar.LoadTraining(path, ClassesOf(name));

    /// <summary>Reads a data set.</summary>
    public static TrainAndTest Load(string name, string path)
    {
        if (name == "mnist")
        {
            var digits = Mnist.Load(path);
            return new TrainAndTest(digits.Train, digits.Test);
        }
        var images = s_cifar[name].Load(path);
        return new TrainAndTest(images.Train, images.Test);
    }

    /// <summary>Reads the data of a benchmark.</summary>
    public static TrainAndTest Load(Benchmark benchmark, string path) =>
        // Its batches make a stream of their own, which an experiment's file does not describe: benchmarks only.
        benchmark is Core50Benchmark core50 ? LoadCore50(path, core50.Batches) : Load(benchmark.DataName, path);

    /// <summary>The files that are read for a benchmark.</summary>
    /// <exception cref="InvalidDataException">They cannot be told; the message says why.</exception>
    public static IReadOnlyList<string> Files(Benchmark benchmark, string path) =>
        benchmark is Core50Benchmark core50 ? Core50Of(path, core50.Batches).Files() : Files(benchmark.DataName, path);

    /// <summary>
    /// Fingerprint of the sources that read a source of data, where those are this program's and the service's; null where they are the
    /// library's, which reads all of <see cref="Names"/>.
    /// </summary>
    public static string? ReaderOf(string source) => Names.Contains(source)
        ? null
        : RunEnvironment.SourcesOf(typeof(DataSets).Assembly, typeof(ImagePixels).Assembly);

    private static int ClassesOf(string cifar) => cifar == "cifar-10" ? 10 : 100;

    private static Core50 Core50Of(string path, Core50Protocol protocol)
    {
        const int Side = Core50Benchmark.Side;
        return new Core50(path, protocol, [3, Side, Side], file => ImageFile.Bytes(file, [3, Side, Side]));
    }

    private static TrainAndTest LoadCore50(string path, Core50Protocol protocol)
    {
        var files = Core50Of(path, protocol);
        return new TrainAndTest(new Core50Samples(files), files.Test(0));
    }
}
