using Engram.Client;

namespace Engram.Server.Tests.Engine;

/// <summary>A service in a folder of its own, that can be closed and opened again.</summary>
public abstract class ServiceTest : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-service-").FullName;
    private LearningService? _service;

    private protected ServiceOptions Options => new() { Folder = _folder };

    private protected LearningService Service => _service ??= LearningService.Open(Options, Clock);

    /// <summary>The time; null for the system's.</summary>
    private protected TimeProvider? Clock { get; set; }

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public virtual async ValueTask DisposeAsync()
    {
        if (_service is not null) await _service.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected async Task<LearnerHost> Reopened(string name = "digits")
    {
        await CloseAsync();
        return Service.Find(name)!;
    }

    private protected async Task CloseAsync()
    {
        await _service!.DisposeAsync();
        _service = null;
    }

    private protected static LearnerSpecification Ridge => new()
    {
        Name = "digits",
        Input = Digits.Schema,
        Model = new ModelSpecification { Kind = "ridge", Lambda = 10 },
        Learning = new LearningPolicy { EverySamples = 0, CpuShare = 1 },
    };

    private protected static LearnerSpecification Network => Ridge with
    {
        Model = new ModelSpecification { Kind = "network", Strategy = "replay", Hidden = [100], Epochs = 20 },
    };

    private protected Task<LearnerHost> Create(LearnerSpecification specification) => Service.CreateAsync(specification, "tester");

    /// <summary>Teaches digits and learns them.</summary>
    private protected static async Task<VersionInfo> Teach(LearnerHost learner, int each, params int[] digits)
    {
        await learner.AcceptAsync(Digits.Lesson(each, digits), Token);
        return (await learner.LearnAsync("tester", null, Token))!;
    }

    /// <summary>Asks about digits, and tells what they are, or a label that is to be taken for it.</summary>
    private protected static async Task Tell(LearnerHost learner, int digit, int count, string? label = null)
    {
        var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(digit, count) }, Token);
        await learner.AcceptAsync(new FeedbackBatchRequest([.. said.Predictions.Select(one =>
            new FeedbackRequest { PredictionId = one.PredictionId, Label = label ?? $"{digit}" })]), Token);
    }

    /// <summary>Feedback about a subject, <c>ann</c>: 20 digits of each class.</summary>
    private protected static FeedbackBatchRequest OfAnn(params int[] digits) =>
        new([.. Digits.LessonFrom(20, 20, digits).Items.Select(item => item with { Subject = "ann" })]);

    /// <summary>Part of the first image of <see cref="OfAnn"/>, as it is stored.</summary>
    private protected static byte[] FirstPixelsOfAnn(int digit = 2) =>
        [.. OfAnn(digit).Items[0].Input!.Value.GetProperty("pixels").GetBytesFromBase64().SkipWhile(pixel => pixel == 0).Take(200)];

    private protected string[] Bundles => Directory.GetDirectories(Path.Combine(Options.Folder, "learners", "digits", "versions"));

    /// <summary>Makes a version one that cannot be loaded.</summary>
    private protected void Damage(int version)
    {
        var folder = Path.Combine(Options.Folder, "learners", "digits", "versions", $"{version}");
        foreach (var part in Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories))
        {
            File.Delete(part); // versions share files that are the same: this one alone
            File.WriteAllText(part, "damaged");
        }
    }

    private protected bool IsOnDisk(byte[] marker) => Directory.EnumerateFiles(Options.Folder, "*", SearchOption.AllDirectories)
        .Where(path => Path.GetFileName(path) != "lock").Any(path =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes.AsSpan().IndexOf(marker) >= 0;
        });
}
