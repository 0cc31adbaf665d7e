using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

/// <summary>Long runs behind the numbers in docs/methods; run them with <c>--explicit only</c>.</summary>
public class AnalyticMeasurements(ITestOutputHelper output)
{
    // λ of ridge is chosen on 5,000 training samples set aside, which are learnt afterwards as one more experience.
    [Theory(Explicit = true)]
    [InlineData("ncm")]
    [InlineData("slda")]
    [InlineData("ridge")]
    public void Split_Mnist_class_incremental_over_1000_random_relu(string name)
    {
        var stream = Split(out var validation);
        var features = new RandomFeatures(784, 1000, scale: 0.1);
        using LinearAnalyticLearner learner = name switch
        {
            "ncm" => new NearestClassMean(features),
            "slda" => new StreamingLda(features),
            _ => new RidgeClassifier(features),
        };
        Measure($"{name} over 1,000 random ReLU", learner, stream, () =>
        {
            var chosen = (learner as RidgeClassifier)?.ChooseLambda(validation);
            learner.Learn(new Experience(5, validation));
            return $"lambda {chosen?.ToString(CultureInfo.InvariantCulture) ?? "none"}";
        });
    }

    // λ is fixed beforehand and nothing is set aside: each of the 60,000 samples is seen once, in its experience, and none is kept.
    // Writes docs/methods/images/accuracy-memory.csv, from which Engram.Reporting.Tests draws the picture.
    [Fact(Explicit = true)]
    public void Accuracy_against_memory_on_Split_Mnist()
    {
        var file = Path.Combine(TestData.Root, "docs", "methods", "images", "accuracy-memory.csv");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var csv = new List<string> { "features,size,seed,width,lambda,bytes,accuracy,learning seconds" };
        (string Series, int Size, int Seeds)[] plan =
        [
            ("random ReLU", 250, 1), ("random ReLU", 500, 1), ("random ReLU", 1000, 1), ("random ReLU", 2000, 1),
            ("patch filters", 8, 3), ("patch filters", 16, 3), ("patch filters", 32, 3), ("patch filters", 64, 3), ("patch filters", 128, 3),
        ];
        foreach (var (series, size, seeds) in plan)
            for (var seed = 0; seed < seeds; seed++)
            {
                csv.Add(CurvePoint(series, size, seed));
                File.WriteAllLines(file, csv);
            }
    }

    private string CurvePoint(string series, int size, int seed)
    {
        var stream = Pairs(TestData.Mnist.Train);
        FeatureExtractor features = series == "patch filters"
            ? new PatchFeatures(stream.Experiences[0].Train, new PatchOptions { Filters = size, Seed = seed })
            : new RandomFeatures(784, size, scale: 0.1, seed: seed);
        // As validation images chose for 128 filters and for 1,000 random features in earlier runs.
        using var learner = new RidgeClassifier(features, series == "patch filters" ? 1e-2 : 1);
        var seconds = stream.Experiences.Sum(experience => learner.Learn(experience).Seconds);
        var accuracy = Evaluator.Accuracy(learner, TestData.Mnist.Test);
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{series},{size},{seed},{features.FeatureCount},{learner.Lambda},{learner.MemoryBytes},{accuracy:0.0000},{seconds:0.0}");
        Print(line);
        return line;
    }

    // The network saw CIFAR-10 only. Everything is chosen on 10 of the 100 training images of each class, learnt afterwards.
    [Fact(Explicit = true)]
    public void Split_Cifar_100_over_a_frozen_network_trained_on_Cifar_10()
    {
        using var scope = NewDisposeScope();
        var (train, test) = Cifar100Features();
        var (rest, validation) = StratifiedSplit.Of(train, 0.1, new SeededRandom(0, "cifar"));
        var groups = TensOf(test.Classes);
        var stream = ExperienceStream.ClassIncremental(rest, test, groups);
        RidgeClassifier Ridge() => new(new RandomFeatures(64, 4000, scale: 0.5, seed: 0)) { FastProducts = true };
        (string Name, Func<AnalyticLearner>[] Candidates)[] methods =
        [
            ("NCM", [() => new NearestClassMean(new RawFeatures(64))]),
            ("streaming LDA", [.. new[] { 1e-4, 1e-3, 1e-2, 1e-1 }.Select(shrinkage =>
                (Func<AnalyticLearner>)(() => new StreamingLda(new RawFeatures(64), shrinkage)))]),
            ("FeCAM", [.. new[] { 1.0, 3, 10, 30, 100 }.Select(gamma =>
                (Func<AnalyticLearner>)(() => new FeCam(new RawFeatures(64), new FeCamOptions { Gamma1 = gamma, Gamma2 = gamma })))]),
            ("ridge, no projection", [() => new RidgeClassifier(new RawFeatures(64))]),
            ("ridge, 4,000 random ReLU (RanPAC)", [Ridge]),
        ];
        foreach (var (name, candidates) in methods)
        {
            var best = candidates.MaxBy(make =>
            {
                using var tried = make();
                foreach (var experience in stream.Experiences) tried.Learn(experience);
                (tried as RidgeClassifier)?.ChooseLambda(validation, s_lambdas);
                return Evaluator.Accuracy(tried, new EvaluationSet("validation", validation));
            })!;
            using var learner = best();
            var soFar = new List<double>();
            for (var i = 0; i < 10; i++)
            {
                learner.Learn(stream.Experiences[i]);
                Label[] seen = [.. groups[..(i + 1)].SelectMany(group => group)];
                (learner as RidgeClassifier)?.ChooseLambda(SubsetSource.WithLabels(validation, seen), s_lambdas);
                soFar.Add(Evaluator.Accuracy(learner, test.WithLabels(seen)));
            }
            learner.Learn(new Experience(10, validation));
            var accuracy = Evaluator.Accuracy(learner, test);
            Print(FormattableString.Invariant(
                $"{name}: {accuracy:0.0000} final, {soFar.Average():0.0000} mean over the ten steps, {learner.MemoryBytes / 1e6:0.00} MB, choice {Array.IndexOf(candidates, best)}, λ {(learner as RidgeClassifier)?.Lambda}"));
        }
    }

    [Fact(Explicit = true)]
    public void Joint_linear_training_on_Split_Cifar_100_over_the_same_network()
    {
        using var scope = NewDisposeScope();
        var (train, test) = Cifar100Features();
        var (rest, validation) = StratifiedSplit.Of(train, 0.1, new SeededRandom(0, "cifar"));
        Print(FormattableString.Invariant(
            $"joint linear (softmax): {JointLinear(Gather(rest), Gather(validation), Gather(test.Samples)):0.0000} final"));
    }

    private static readonly double[] s_lambdas = [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4, 1e5];

    // Softmax regression on all classes at once, full-batch Adam over standardised features; weight decay chosen on validation data.
    private static double JointLinear((Tensor X, Tensor Y) train, (Tensor X, Tensor Y) validation, (Tensor X, Tensor Y) test)
    {
        var (mean, deviation) = (train.X.mean([0L]), train.X.std([0L]));
        (Tensor Weights, double Accuracy) Fit(Tensor x, Tensor y, double decay, (Tensor X, Tensor Y) on)
        {
            var weights = new TorchSharp.Modules.Parameter(zeros(65, 100));
            Tensor Logits(Tensor input) => cat([(input - mean) / deviation, ones(input.shape[0], 1)], 1).matmul(weights);
            var optimizer = optim.Adam([weights], 0.03);
            for (var step = 0; step < 400; step++)
            {
                using var inner = NewDisposeScope();
                optimizer.zero_grad();
                (nn.functional.cross_entropy(Logits(x), y) + decay * weights.square().sum()).backward();
                optimizer.step();
            }
            using var _ = no_grad();
            return (weights, Logits(on.X).argmax(1).eq(on.Y).to(ScalarType.Float64).mean().item<double>());
        }

        var decay = new[] { 1e-5, 1e-4, 1e-3 }.MaxBy(value => Fit(train.X, train.Y, value, validation).Accuracy);
        return Fit(cat([train.X, validation.X]), cat([train.Y, validation.Y]), decay, test).Accuracy;
    }

    private static (Tensor X, Tensor Y) Gather(ISampleSource source)
    {
        var batch = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]);
        return (batch.Inputs, batch.Targets);
    }

    /// <summary>The shared part of CIFAR-100 as features of a ResNet-20 that saw CIFAR-10 only.</summary>
    internal static (TensorSource Train, EvaluationSet Test) Cifar100Features()
    {
        using var backbone = ResNet.Cifar(20);
        backbone.LoadWeights(Weights("resnet20-12fca82f.safetensors"));
        var cifar = Cifar.Load100(TestData.Shared("cifar-100-binary.tar.gz"));
        return (Features(cifar.Train, backbone), cifar.Test.Map(images => Features(images, backbone)));
    }

    /// <summary>Ten groups of ten classes in order.</summary>
    internal static IReadOnlyList<Label>[] TensOf(IReadOnlyList<Label> classes) => [.. classes.Chunk(10)];

    private static TensorSource Features(ISampleSource images, Backbone backbone)
    {
        backbone.eval();
        return new BackboneFeatures(backbone).Samples(images, InputScaling.ImageNet);
    }

    internal static Dictionary<string, Tensor> Weights(string name)
    {
        using var unpacked = new GZipStream(File.OpenRead(TestData.Shared("weights.tar.gz")), CompressionMode.Decompress);
        using var tar = new TarReader(unpacked);
        while (tar.GetNextEntry() is { } entry)
            if (entry.Name.EndsWith(name, StringComparison.Ordinal))
            {
                using var bytes = new MemoryStream();
                entry.DataStream!.CopyTo(bytes);
                bytes.Position = 0;
                return SafetensorsFile.Read(bytes, name);
            }
        throw new InvalidDataException(name);
    }

    // Ratios taken in alternation, since a busy machine slows both.
    [Fact(Explicit = true)]
    public void Speed_of_streaming_lda_and_of_random_projection_with_ridge()
    {
        using var scope = NewDisposeScope();
        var samples = TensorSource.OfClasses(randn(100_000, 400), [.. Enumerable.Range(0, 100_000).Select(i => i % 10)], Label.Numbers(0, 10));
        for (var round = 0; round < 3; round++)
            foreach (var (fast, block) in new[] { (false, 512), (true, 512), (false, 2048), (true, 2048) })
            {
                using var lda = new StreamingLda(new RawFeatures(400)) { FastProducts = fast, BlockSize = block };
                var result = lda.Learn(new Experience(0, samples));
                Print(FormattableString.Invariant($"streaming LDA, 400 features, fast {fast}, block {block}: {result.Samples / result.Seconds:0} samples/s (asked: 100,000)"));
            }
        const int Width = 2000;
        for (var round = 0; round < 3; round++)
            foreach (var (fast, block) in new[] { (false, 512), (true, 512), (false, 2048), (true, 2048) })
            {
                using var features = new RandomFeatures(784, Width, scale: 0.1);
                using var ridge = new RidgeClassifier(features) { FastProducts = fast, BlockSize = block };
                var source = SubsetSource.Balanced(TestData.Mnist.Train, 2000);
                var learnt = ridge.Learn(new Experience(0, source)).Seconds;
                // The learner's own products: projection and second moments by panels, of as many rows.
                var type = fast ? ScalarType.Float32 : ScalarType.Float64;
                var (x, w, phi, gram) = (rand(block, 784), rand(784, Width), rand(block, Width).to(type), zeros(Width, Width, ScalarType.Float64));
                var watch = Stopwatch.StartNew();
                for (var start = 0; start < source.Count; start += block)
                {
                    using var inner = NewDisposeScope();
                    var rows = Math.Min(block, source.Count - start);
                    x.narrow(0, 0, rows).matmul(w);
                    SecondMoments.AddProducts(gram, phi.narrow(0, 0, rows), 1);
                }
                Print(FormattableString.Invariant(
                    $"random projection and ridge, width {Width}, fast {fast}, block {block}: its own products alone take {watch.Elapsed.TotalSeconds / learnt:0.00} of the time (asked: 0.60) of {learnt:0.00} s"));
            }
    }

    // What it costs to be told one sample and to have the new head: the first small update inverts, where SmallUpdates are on.
    [Fact(Explicit = true)]
    public void Time_of_one_new_sample()
    {
        foreach (var small in new[] { true, false })
        {
            foreach (var width in new[] { 400, 1000 })
                Time($"slda, {width} random ReLU, {Way(small)}", new StreamingLda(Relu(width)) { SmallUpdates = small });
            foreach (var balance in new[] { ClassBalance.None, ClassBalance.Pooled })
                Time($"ridge {balance}, 1,000 random ReLU (RanPAC), {Way(small)}", new RidgeClassifier(Relu(1000), balance: balance) { SmallUpdates = small });
        }
        foreach (var width in new[] { 200, 400 }) Time($"fecam, {width} random ReLU, a class factorised", new FeCam(Relu(width)));
        Time("recursive ridge, 1,000 random ReLU", new RecursiveRidge(Relu(1000)));

        static RandomFeatures Relu(int width) => new(784, width, scale: 0.1);
    }

    // The same over patches, with the λ of the curve of accuracy and memory.
    [Theory(Explicit = true)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(128)]
    public void Time_of_one_new_sample_over_patch_filters(int filters)
    {
        foreach (var small in new[] { true, false })
        {
            var patches = new PatchFeatures(TestData.Mnist.Train, new PatchOptions { Filters = filters });
            Time($"ridge, {filters} patch filters ({patches.FeatureCount}), {Way(small)}", new RidgeClassifier(patches, 0.01) { SmallUpdates = small });
        }
    }

    private static string Way(bool small) => small ? "update" : "solve";

    private void Time(string name, AnalyticLearner learner)
    {
        using var _ = learner;
        var probe = TestData.Mnist.Test.Inputs([0]);
        learner.Learn(new Experience(0, SubsetSource.Balanced(TestData.Mnist.Train, 1000)));
        var times = Enumerable.Range(0, 40).Select(i =>
        {
            var one = new SubsetSource(TestData.Mnist.Test.Samples, [i]);
            var watch = Stopwatch.StartNew();
            learner.Learn(new Experience(1 + i, one));
            using (learner.Scores(probe)) return watch.Elapsed.TotalMilliseconds;
        }).ToArray();
        var rest = times[2..].Order().ToArray();
        Print(FormattableString.Invariant(
            $"one sample and its head, {name}: first head {times[0]:0.00} ms, second {times[1]:0.00} ms, the other 38: median {rest[19]:0.00} ms, greatest {rest[^1]:0.00} ms; {learner.MemoryBytes / 1e6:0.0} MB"));
    }

    // All 60,000 samples in every order, all 10,000 test images.
    [Theory(Explicit = true)]
    [InlineData("ridge", 32, false)]
    [InlineData("ridge", 32, true)]
    [InlineData("ridge", 128, false)]
    [InlineData("fecam", 16, false)]
    [InlineData("ncm", 32, false)]
    [InlineData("slda", 32, false)]
    [InlineData("recursive", 16, false)]
    public void Exactness_on_all_of_Mnist_over_patch_filters(string name, int filters, bool fast)
    {
        if (Environment.GetEnvironmentVariable("ENGRAM_STRATEGY") is { Length: > 0 } only && only != name) Assert.Skip($"ENGRAM_STRATEGY asks for {only} alone");
        using var scope = NewDisposeScope();
        var (train, test) = (TestData.Mnist.Train, TestData.Mnist.Test);
        var images = SubsetSource.WithLabels(train, Label.Numbers(0, 2));
        AnalyticLearner Make(int block)
        {
            var patches = new PatchFeatures(images, new PatchOptions { Filters = filters });
            return name switch
            {
                "fecam" => new FeCam(patches) { BlockSize = block },
                "ncm" => new NearestClassMean(patches) { BlockSize = block },
                "slda" => new StreamingLda(patches) { BlockSize = block },
                "recursive" => new RecursiveRidge(patches, 1e-4) { BlockSize = block },
                _ => new RidgeClassifier(patches, 1e-4) { FastProducts = fast, BlockSize = block },
            };
        }

        var (expected, predicted) = ((Tensor?)null, Array.Empty<Label>());
        var shuffled = new SubsetSource(train, new SeededRandom(1, "order").Permutation(train.Count));
        var few = filters > 32 ? 100 : 1; // one by one, 128 filters would take half an hour
        (string Name, int Block, ISampleSource[] Parts)[] orders =
        [
            ("at once, blocks of 512", 512, [train]),
            ("class by class, last class first", 512, [.. Enumerable.Range(0, 10).Select(digit => SubsetSource.WithLabels(train, [9 - digit]))]),
            ("shuffled, blocks of 10,000", 10_000, [shuffled]),
            ($"shuffled, batches of {few}", few, [shuffled]),
        ];
        foreach (var (order, block, parts) in orders)
        {
            using var learner = Make(block);
            for (var i = 0; i < parts.Length; i++) learner.Learn(new Experience(i, parts[i]));
            var own = Evaluator.Predict(learner, test).Predicted.Select(id => learner.Classes.LabelOf(id)).ToArray();
            var ids = tensor(Enumerable.Range(0, 10).Select(digit => (long)learner.Classes.IdOf(digit)).ToArray());
            // FeCAM has no weights: scores of the first 1,000 images stand for them.
            var weights = learner switch
            {
                LinearAnalyticLearner linear => linear.Weights(),
                RecursiveRidge recursive => recursive.Weights(),
                _ => learner.Scores(train.Gather([.. Enumerable.Range(0, 1000).Select(i => (long)i)]).Inputs),
            };
            weights = weights.index_select(1, ids);
            (expected, predicted) = expected is null ? (weights, own) : (expected, predicted);
            Print(FormattableString.Invariant(
                $"exactness, {name} over {filters} filters, fast {fast}, {order}: weights differ by {((weights - expected!).norm() / expected!.norm()).to(ScalarType.Float64).item<double>():0.0e+0}, predictions by {own.Zip(predicted).Count(pair => pair.First != pair.Second)} of 10,000"));
        }
    }

    // Nine digits learnt, one set aside as unknown, in turn; temperature and threshold chosen on a tenth of the training digits, kept out of learning.
    [Theory(Explicit = true)]
    [InlineData("ncm")]
    [InlineData("slda")]
    [InlineData("fecam")]
    [InlineData("ridge")]
    public void Calibration_and_unknown_digits(string name)
    {
        using var scope = NewDisposeScope();
        var found = Enumerable.Range(0, 10).Select(unknown =>
        {
            Label[] known = [.. Enumerable.Range(0, 10).Where(digit => digit != unknown).Select(digit => (Label)digit)];
            var (rest, validation) = StratifiedSplit.Of(SubsetSource.WithLabels(TestData.Mnist.Train, known), 0.1, new SeededRandom(0, "aside"));
            var features = new RandomFeatures(784, 300, scale: 0.1);
            using AnalyticLearner learner = name switch
            {
                "ncm" => new NearestClassMean(features),
                "slda" => new StreamingLda(features),
                "fecam" => new FeCam(features),
                _ => new RidgeClassifier(features),
            };
            learner.Learn(new Experience(0, rest));
            (learner as RidgeClassifier)?.ChooseLambda(validation);
            var (old, never) = (TestData.Mnist.Test.WithLabels(known), TestData.Mnist.Test.WithLabels([unknown]));
            var before = Error(learner, old);
            learner.Calibrate(validation);
            var after = Error(learner, old);
            var rule = UnknownRule.Choose(learner, validation);
            return (before, after, Alarms(rule, learner, old), Alarms(rule, learner, never));
        }).ToArray();
        Print(FormattableString.Invariant(
            $"{name} over 300 random ReLU, mean over ten unknown digits: ECE {found.Average(f => f.before):0.0000}, with its temperature {found.Average(f => f.after):0.0000}; called unknown at 5 % of validation samples: {found.Average(f => f.Item3):0.000} of known test digits, {found.Average(f => f.Item4):0.000} of unknown ones ({found.Min(f => f.Item4):0.000} to {found.Max(f => f.Item4):0.000})"));

        static double Error(AnalyticLearner learner, EvaluationSet set)
        {
            var tally = new CalibrationTally();
            Evaluator.Predict(learner, set, tally, CancellationToken.None);
            return tally.Expected;
        }

        static double Alarms(UnknownRule rule, AnalyticLearner learner, EvaluationSet set) => Enumerable.Range(0, set.Count).Chunk(1000).Sum(chunk =>
        {
            using var inner = NewDisposeScope();
            return rule.Novelty(learner, set.Inputs([.. chunk.Select(i => (long)i)])).gt(rule.Threshold).sum().item<long>();
        }) / (double)set.Count;
    }

    // Linux only: the highest resident memory while a first head is made, over what was held before, in matrices of features² numbers.
    [Theory(Explicit = true)]
    [InlineData("slda")]
    [InlineData("ridge")]
    [InlineData("pooled")]
    [InlineData("fecam")]
    public void Memory_at_once_while_a_head_is_made(string name)
    {
        const int Width = 3000;
        using AnalyticLearner learner = name switch
        {
            "slda" => new StreamingLda(new RawFeatures(Width)),
            "fecam" => new FeCam(new RawFeatures(Width)),
            _ => new RidgeClassifier(new RawFeatures(Width), balance: name == "pooled" ? ClassBalance.Pooled : ClassBalance.None),
        };
        learner.Learn(new Experience(0, TensorSource.OfClasses(randn(300, Width), [.. Enumerable.Range(0, 300).Select(i => i % 3)], Label.Numbers(0, 3))));
        File.WriteAllText("/proc/self/clear_refs", "5"); // the highest begins anew
        var before = Kilobytes("VmRSS");
        using (learner.Scores(zeros(1, Width)))
            Print(FormattableString.Invariant(
                $"a first head of {name}: {(Kilobytes("VmHWM") - before) * 1024.0 / (8.0 * Width * Width):0.00} matrices more at once, {learner.MemoryBytes / (8.0 * Width * Width):0.00} kept in all"));

        static long Kilobytes(string field) =>
            long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(field)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    private static ExperienceStream Split(out ISampleSource validation, int seed = 0)
    {
        var (rest, aside) = StratifiedSplit.Of(TestData.Mnist.Train, 1 / 12.0, new SeededRandom(seed, "lambda"));
        validation = aside;
        return Pairs(rest);
    }

    private static ExperienceStream Pairs(ISampleSource train) => ExperienceStream.ClassIncremental(
        train, TestData.Mnist.Test, [.. Enumerable.Range(0, 5).Select(pair => (IReadOnlyList<Label>)Label.Numbers(2 * pair, 2))]);

    private void Measure(string name, AnalyticLearner learner, ExperienceStream stream, Func<string> finish)
    {
        var watch = Stopwatch.StartNew();
        var seconds = stream.Experiences.Sum(experience => learner.Learn(experience).Seconds);
        var chosen = finish();
        var accuracy = Evaluator.Accuracy(learner, TestData.Mnist.Test);
        Print(FormattableString.Invariant(
            $"{name}: accuracy {accuracy:0.0000}, {chosen}, {learner.MemoryBytes / 1e6:0.0} MB, learnt in {seconds:0.0} s, all {watch.Elapsed.TotalSeconds:0.0} s"));
    }

    private void Print(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("ENGRAM_MEASUREMENTS") is { } path) File.AppendAllText(path, line + "\n");
    }
}
