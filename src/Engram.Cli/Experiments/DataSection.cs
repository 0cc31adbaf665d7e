using Engram.Cli.Commands;
using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;

namespace Engram.Cli.Experiments;

/// <summary>Which samples an experiment learns and is tested with.</summary>
internal sealed record DataSection
{
    private const int MostSide = 1024;

    /// <summary>Data of the user's own.</summary>
    private static readonly string[] s_own = [ImageFolders.Name, CsvTable.Name];

    /// <summary>What <see cref="Source"/> may be.</summary>
    public static IReadOnlyList<string> Sources { get; } = [.. DataSets.Names, .. s_own];

    /// <summary>The data set: one of <see cref="Sources"/>.</summary>
    public string Source { get; init; } = "mnist";

    /// <summary>Where it is; null finds it as <see cref="DataFolder.Places()"/> says. Data of the user's own are found nowhere else.</summary>
    public string? Path { get; init; }

    /// <summary>Of images of the user's own, <c>[channels, height, width]</c>: they are scaled to it.</summary>
    public IReadOnlyList<long>? Shape { get; init; }

    /// <summary>Of a table of the user's own, the column that holds the labels.</summary>
    public string Label { get; init; } = "label";

    /// <summary>Training samples of each class; null for all.</summary>
    public int? PerClass { get; init; }

    /// <summary>Test samples of each class; null for all.</summary>
    public int? TestPerClass { get; init; }

    /// <summary>Shape of a sample, where no file must be read to know it; null of a table.</summary>
    public IReadOnlyList<long>? KnownShape => Source switch
    {
        CsvTable.Name => null,
        ImageFolders.Name => Shape,
        _ => DataSets.ShapeOf(Source),
    };

    public void Check(YamlSection section)
    {
        if (!Sources.Contains(Source))
            throw section.Problem("source", $"\"{Source}\", expected one of {string.Join(", ", Sources)}");
        if (s_own.Contains(Source) && string.IsNullOrEmpty(Path))
            throw section.Problem("path", $"missing, expected a folder with {Content}; --data names another");
        if (PerClass < 1) throw section.Problem("perClass", $"{PerClass}, expected 1 or more");
        if (TestPerClass < 1) throw section.Problem("testPerClass", $"{TestPerClass}, expected 1 or more");
        section.OnlyWith("shape", "source", Source, ImageFolders.Name);
        section.OnlyWith("label", "source", Source, CsvTable.Name);
        if (Source == ImageFolders.Name && Shape is not ([1 or 3, >= 1 and <= MostSide, >= 1 and <= MostSide]))
            throw section.Problem("shape", $"{(Shape is null ? "missing" : $"[{string.Join(", ", Shape)}]")}, "
                + $"expected [channels, height, width] with 1 or 3 channels and sides of 1 to {MostSide}");
        if (Label.Length == 0) throw section.Problem("label", "empty, expected the name of the column with the labels");
    }

    /// <summary>Where the data are.</summary>
    /// <param name="asked">Where the user says that they are; null for <see cref="Path"/>, or where they are found.</param>
    /// <param name="section">The section, for messages.</param>
    /// <exception cref="UsageException">They are nowhere; the message blames whoever named the place.</exception>
    public string Find(string? asked, YamlSection section)
    {
        var path = asked ?? Path;
        Func<string, UsageException> wrong = asked is null && path is not null ? message => section.Problem("path", message) : DataFolder.Wrong;
        if (!s_own.Contains(Source)) return DataSets.Find(Source, path, wrong);
        return Directory.Exists(path) ? path : throw wrong($"\"{path}\" is no folder, expected one with {Content}");
    }

    /// <summary>Whether the file says that the data are at a place; else the command says so, or they were found there.</summary>
    /// <param name="path">The place.</param>
    public bool IsAt(string path) => Path is not null && System.IO.Path.GetFullPath(Path) == System.IO.Path.GetFullPath(path);

    /// <summary>Shape of a sample.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="InvalidDataException">A table has no columns of numbers.</exception>
    public IReadOnlyList<long> ShapeIn(string path) => KnownShape ?? [CsvTable.Numbers(path, Label)];

    /// <summary>The training samples alone: no test sample is read.</summary>
    public ISampleSource LoadTraining(string path)
    {
        var all = Source switch
        {
            ImageFolders.Name => ImageFolders.LoadTraining(path, Shape!),
            CsvTable.Name => CsvTable.LoadTraining(path, Label),
            _ => DataSets.LoadTraining(Source, path),
        };
        return PerClass is { } few ? SubsetSource.Balanced(all, few) : all;
    }

    /// <summary>The files that <see cref="LoadTraining"/> reads.</summary>
    public IReadOnlyList<string> TrainingFiles(string path) => Source switch
    {
        ImageFolders.Name => ImageFolders.TrainingFiles(path),
        CsvTable.Name => [CsvTable.TrainingFile(path)],
        _ => DataSets.Files(Source, path, training: true),
    };

    /// <summary>The files that <see cref="Load"/> reads.</summary>
    public IReadOnlyList<string> Files(string path) => Source switch
    {
        ImageFolders.Name => ImageFolders.Files(path),
        CsvTable.Name => CsvTable.Files(path),
        _ => DataSets.Files(Source, path),
    };

    public TrainAndTest Load(string path)
    {
        var all = Source switch
        {
            ImageFolders.Name => SameLabels(path, ImageFolders.LoadTraining(path, Shape!), ImageFolders.LoadTest(path, Shape!)),
            CsvTable.Name => SameLabels(path, CsvTable.LoadTraining(path, Label), CsvTable.LoadTest(path, Label)),
            _ => DataSets.Load(Source, path),
        };
        return new TrainAndTest(
            PerClass is { } few ? SubsetSource.Balanced(all.Train, few) : all.Train,
            TestPerClass is { } test ? all.Test.Balanced(test) : all.Test);
    }

    private string Content => Source == ImageFolders.Name ? ImageFolders.Content : CsvTable.Content;

    // What is tested must be learnt, and what is learnt cannot be measured without tests.
    private static TrainAndTest SameLabels(string path, ISampleSource train, EvaluationSet test)
    {
        foreach (var label in test.Classes.Except(train.Labels))
            throw new InvalidDataException($"{path}: label \"{label}\" has test samples only, expected training samples of it too");
        foreach (var label in train.Labels.Except(test.Classes))
            throw new InvalidDataException($"{path}: label \"{label}\" has training samples only, expected test samples of it too");
        return new TrainAndTest(train, test);
    }
}
