using Engram.Analytic;
using Engram.Data;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public sealed class AnalyticBundleTests : IDisposable
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 20);
    private static readonly Lazy<Backbone> s_backbone = new(() => new DigitsCnn());
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("engram-analytic-");

    public static TheoryData<string, string> All => new(
        from learner in new[] { "ncm", "slda", "ridge", "ridge-pooled", "ridge-per-class", "recursive", "fecam" }
        select (learner, learner switch { "ncm" => "backbone", "slda" => "patches", "recursive" => "fourier", "fecam" => "relu", _ => "raw" }));

    private string Bundle => Path.Combine(_folder.FullName, "bundle");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(All))]
    public void A_loaded_learner_predicts_bit_by_bit_the_same_and_goes_on_exactly(string name, string extractor)
    {
        using var scope = NewDisposeScope();
        var (half, rest) = StratifiedSplit.Of(s_train, 0.5, new SeededRandom(2, "test"));
        using var first = Make(name, extractor);
        first.Learn(new Experience(0, half));
        first.Calibrate(rest);
        var before = Scores(first);
        AnalyticBundle.Save(first, Bundle);
        using var second = AnalyticBundle.Load(Bundle);
        Assert.Equal(before, Scores(second));
        Assert.Equal(first.Temperature, second.Temperature);
        Assert.Equal(first.MemoryBytes, second.MemoryBytes);
        Assert.Equal(first.BlockSize, second.BlockSize);

        first.Learn(new Experience(1, rest));
        second.Learn(new Experience(1, rest));
        Assert.Equal(Scores(first), Scores(second));
        first.Unlearn(half);
        second.Unlearn(half);
        Assert.Equal(Scores(first), Scores(second));
        Assert.Throws<ArgumentException>(() => second.Learn(new Experience(0, half)));
        AnalyticBundle.Save(second, Bundle);
        using var third = AnalyticBundle.Load(Bundle);
        Assert.Equal(Scores(first), Scores(third));
    }

    [Fact]
    public async Task Readers_need_no_lock_while_another_saves()
    {
        using var folder = new TemporaryFolder();
        using var learner = AnalyticFixtures.New("ncm");
        learner.Learn(AnalyticFixtures.Experience(0));
        AnalyticBundle.Save(learner, folder["bundle"]);
        using var done = new CancellationTokenSource();
        var reading = Task.Run(() =>
        {
            var read = 0;
            for (; !done.IsCancellationRequested; read++)
                if (read % 2 == 0) AnalyticBundle.Verify(folder["bundle"]);
                else AnalyticBundle.Load(folder["bundle"]).Dispose();
            return read;
        }, TestContext.Current.CancellationToken);
        for (var index = 1; index < 60; index++)
        {
            learner.Learn(AnalyticFixtures.Experience(index));
            AnalyticBundle.Save(learner, folder["bundle"]);
        }
        await done.CancelAsync();
        Assert.InRange(await reading, 1, int.MaxValue);
    }

    [Fact]
    public void A_part_that_is_gone_is_missing_only_if_the_manifest_still_names_it()
    {
        using var folder = new TemporaryFolder();
        var (bundle, reads) = (new BundleFolder(folder.Path), 0);
        File.WriteAllText(bundle.ManifestPath, "old");
        Assert.Equal("new", bundle.Read(json =>
        {
            reads++;
            File.WriteAllText(bundle.ManifestPath, "new");
            var now = System.Text.Encoding.UTF8.GetString(json);
            return now == "new" ? now : throw new FileNotFoundException();
        }));
        Assert.Equal(2, reads);
        Assert.Throws<FileNotFoundException>(() => bundle.Read<int>(_ => throw new FileNotFoundException()));
    }

    [Fact]
    public void An_interrupted_experience_goes_on_after_loading()
    {
        using var scope = NewDisposeScope();
        using var whole = new RidgeClassifier(new RawFeatures(784)) { BlockSize = 16 };
        whole.Learn(new Experience(0, s_train));
        using var part = new RidgeClassifier(new RawFeatures(784)) { BlockSize = 16 };
        using var cancellation = new CancellationTokenSource();
        var stopping = new CancellingSource(s_train, 5, cancellation);
        Assert.Throws<OperationCanceledException>(() => part.Learn(new Experience(0, stopping), null, cancellation.Token));
        AnalyticBundle.Save(part, Bundle);
        using var loaded = AnalyticBundle.Load(Bundle);
        Assert.Contains("interrupted", Assert.Throws<InvalidOperationException>(() => loaded.Learn(new Experience(1, s_train))).Message);
        loaded.Learn(new Experience(0, s_train));
        Assert.Equal(Scores(whole), Scores(loaded));
    }

    // Its labels are known by then and nothing of them is summed.
    [Theory, MemberData(nameof(All))]
    public void A_stop_before_the_first_block_changes_no_prediction_and_is_saved_and_goes_on(string name, string extractor)
    {
        using var scope = NewDisposeScope();
        var (old, young) = (SubsetSource.WithLabels(s_train, Label.Numbers(0, 8)), SubsetSource.WithLabels(s_train, Label.Numbers(8, 2)));
        using var whole = Make(name, extractor);
        using var stopped = Make(name, extractor);
        Stop(stopped, new Experience(0, old));
        Assert.Contains("nothing was learnt", Assert.Throws<InvalidOperationException>(() => Scores(stopped)).Message);
        using var first = SavedAndLoaded(stopped);
        foreach (var learner in new[] { whole, first }) learner.Learn(new Experience(0, old));
        var before = Scores(first);
        Assert.Equal(before, Scores(whole));
        Stop(first, new Experience(1, young));
        Assert.Equal(before.Chunk(8).SelectMany(row => row.Concat([float.NegativeInfinity, float.NegativeInfinity])), Scores(first));
        Assert.True(double.IsFinite(UnknownRule.Choose(first, old).Threshold));
        Assert.Contains("classes that were learnt", Assert.Throws<ArgumentException>(() => first.Calibrate(young)).Message);
        using var second = SavedAndLoaded(first);
        Assert.Equal(Scores(first), Scores(second));
        foreach (var learner in new[] { whole, second }) learner.Learn(new Experience(1, young));
        Assert.Equal(Scores(whole), Scores(second));
    }

    [Fact]
    public void Every_damaged_byte_and_every_missing_file_is_named()
    {
        using var learner = Make("slda", "relu");
        learner.Learn(new Experience(0, s_train));
        AnalyticBundle.Save(learner, Bundle);
        foreach (var file in Directory.GetFiles(Bundle, "*", SearchOption.AllDirectories))
        {
            var good = File.ReadAllBytes(file);
            foreach (var place in new[] { 0, 9, good.Length / 2, good.Length - 2 })
            {
                var bad = (byte[])good.Clone();
                bad[place] ^= 0x10;
                File.WriteAllBytes(file, bad);
                var message = Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(Bundle)).Message;
                Assert.Contains(Bundle, message);
            }
            File.WriteAllBytes(file, good[..(good.Length / 2)]);
            Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(Bundle));
            File.Delete(file);
            Assert.Throws<FileNotFoundException>(() => AnalyticBundle.Load(Bundle));
            File.WriteAllBytes(file, good);
        }
        using var again = AnalyticBundle.Load(Bundle);
        Assert.Equal(Scores(learner), Scores(again));
    }

    [Fact]
    public void A_bundle_of_a_trained_model_and_one_of_the_future_are_refused_by_name()
    {
        using var learner = Make("ncm", "raw");
        learner.Learn(new Experience(0, s_train));
        AnalyticBundle.Save(learner, Bundle);
        var manifest = Path.Combine(Bundle, "manifest.json");
        Assert.Contains("expected engram-bundle", Assert.Throws<InvalidDataException>(() => Engram.Persistence.Bundle.ReadManifest(Bundle)).Message);
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"version\": 2", "\"version\": 3"));
        Assert.Contains("version 3 of the format, expected 1 to 2", Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(Bundle)).Message);
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("engram-analytic", "engram-bundle"));
        Assert.Contains("engram-analytic", Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(Bundle)).Message);
        Assert.Throws<FileNotFoundException>(() => AnalyticBundle.Load(Path.Combine(_folder.FullName, "nothing")));
    }

    [Fact]
    public void An_extractor_of_the_callers_own_is_given_again()
    {
        using var scope = NewDisposeScope();
        using var learner = new NearestClassMean(new Halves());
        learner.Learn(new Experience(0, s_train));
        AnalyticBundle.Save(learner, Bundle);
        Assert.Contains("given by the caller", Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(Bundle)).Message);
        using var wide = new RawFeatures(784);
        Assert.Contains("784 features, expected 392", Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(Bundle, wide)).Message);
        using var loaded = AnalyticBundle.Load(Bundle, new Halves());
        Assert.Equal(Scores(learner), Scores(loaded));
    }

    [Fact]
    public void Files_open_as_plain_safetensors()
    {
        using var scope = NewDisposeScope();
        using var learner = Make("ridge", "relu");
        learner.Learn(new Experience(0, s_train));
        AnalyticBundle.Save(learner, Bundle);
        var names = Directory.GetFiles(Path.Combine(Bundle, "parts")).SelectMany(file => SafetensorsFile.Read(file).Keys).Order();
        Assert.Equal(["bias", "counts", "products", "sums", "weights"], names);
    }

    private static void Stop(AnalyticLearner learner, Experience experience) =>
        Assert.Throws<OperationCanceledException>(() => learner.Learn(experience, null, new CancellationToken(canceled: true)));

    private AnalyticLearner SavedAndLoaded(AnalyticLearner learner)
    {
        AnalyticBundle.Save(learner, Bundle);
        return AnalyticBundle.Load(Bundle);
    }

    private static AnalyticLearner Make(string name, string extractor)
    {
        FeatureExtractor features = extractor switch
        {
            "relu" => new RandomFeatures(784, 50, scale: 0.1),
            "fourier" => new RandomFeatures(784, 50, RandomActivation.Fourier, 0.1),
            "patches" => new PatchFeatures(s_train, new PatchOptions { Filters = 4, Grid = 3 }),
            "backbone" => new BackboneFeatures(s_backbone.Value),
            _ => new RawFeatures(784),
        };
        return name switch
        {
            "ncm" => new NearestClassMean(features) { BlockSize = 100 },
            "slda" => new StreamingLda(features, 1e-2, prior: ClassPrior.Counts),
            "ridge" => new RidgeClassifier(features, 3) { FastProducts = true },
            "ridge-pooled" => new RidgeClassifier(features, 3, balance: ClassBalance.Pooled),
            "ridge-per-class" => new RidgeClassifier(features, 3, balance: ClassBalance.PerClass),
            "recursive" => new RecursiveRidge(features, 2),
            _ => new FeCam(features, new FeCamOptions { Gamma1 = 5 }),
        };
    }

    private static float[] Scores(AnalyticLearner learner)
    {
        using var scope = NewDisposeScope();
        return learner.Scores(TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 100).Select(i => (long)i)])).data<float>().ToArray();
    }

    private sealed class Halves() : FeatureExtractor(392)
    {
        public override long MemoryBytes => 0;

        public override Tensor Extract(Tensor inputs) => inputs.flatten(1).narrow(1, 0, 392);
    }
}
