using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public sealed class ImbalanceTests
{
    [Theory]
    [InlineData("class weights")]
    [InlineData("logit adjustment")]
    [InlineData("logit adjustment post hoc")]
    [InlineData("threshold moving")]
    [InlineData("balanced batches")]
    [InlineData("decoupled head")]
    public void A_remedy_raises_balanced_accuracy_on_long_tailed_MNIST(string remedy)
    {
        RetentionMechanism mechanism = remedy switch
        {
            "class weights" => new ClassWeightedLoss(),
            "logit adjustment" => new LogitAdjustment(),
            "logit adjustment post hoc" => new LogitAdjustment(new LogitAdjustmentOptions { PostHoc = true }),
            "threshold moving" => new ThresholdMoving(),
            "balanced batches" => new BalancedBatches(),
            _ => new DecoupledHead(),
        };
        var (plain, remedied) = (s_plain.Value, BalancedAccuracy(mechanism));
        TestContext.Current.TestOutputHelper?.WriteLine($"{remedy}: {remedied:F4}, plain {plain:F4}");
        Assert.True(remedied > plain + 0.02, $"{remedy} {remedied}, plain {plain}");
    }

    [Fact]
    public void Adjusted_loss_is_equation_10_of_Menon()
    {
        using var scope = NewDisposeScope();
        using var mechanism = new LogitAdjustment(new LogitAdjustmentOptions { Tau = 1.5 });
        using var learner = Learn(mechanism);
        var (step, logits, targets) = Step(learner);
        double[] counts = [.. s_tail.Select(n => (double)n)];
        var adjusted = logits.Select(row => row.Select((f, c) => f + (1.5 * Math.Log(counts[c] / counts.Sum()))).ToArray()).ToArray();
        var expected = targets.Select((y, i) => Math.Log(adjusted[i].Sum(Math.Exp)) - adjusted[i][y]).Average();

        Assert.Equal(expected, mechanism.ReplaceLoss(step, step.Current)!.item<float>(), 1e-4);
    }

    [Theory]
    [InlineData(ClassWeighting.EffectiveNumber)]
    [InlineData(ClassWeighting.InverseFrequency)]
    public void Weighted_loss_is_the_weighted_mean_of_cross_entropies(ClassWeighting weighting)
    {
        using var scope = NewDisposeScope();
        using var mechanism = new ClassWeightedLoss(new ClassWeightedLossOptions { Weighting = weighting, Beta = 0.99 });
        using var learner = Learn(mechanism);
        var (step, logits, targets) = Step(learner);
        double Weight(long y) => weighting == ClassWeighting.InverseFrequency ? 1.0 / s_tail[y] : 0.01 / (1 - Math.Pow(0.99, s_tail[y]));
        var losses = targets.Select((y, i) => Weight(y) * (Math.Log(logits[i].Sum(Math.Exp)) - logits[i][y])).Sum();

        Assert.Equal(losses / targets.Sum(Weight), mechanism.ReplaceLoss(step, step.Current)!.item<float>(), 1e-4);
    }

    [Fact]
    public void Moved_thresholds_give_prior_corrected_probabilities()
    {
        using var scope = NewDisposeScope();
        using var mechanism = new ThresholdMoving(new ThresholdMovingOptions { Expected = new Dictionary<Label, double> { [0] = 3, [9] = 1 } });
        using var learner = Learn(mechanism);
        var (step, logits, _) = Step(learner);
        var moved = Rows(mechanism.Score(learner.Context, step.Features, step.Logits)!.softmax(1));
        double Expected(int c) => c == 0 ? 3 : c == 9 ? 1 : 2;
        var raw = logits[0].Select((f, c) => Math.Exp(f) * Expected(c) / s_tail[c]).ToArray();

        for (var c = 0; c < 10; c++) Assert.Equal(raw[c] / raw.Sum(), moved[0][c], 1e-5);
    }

    [Fact]
    public void Balanced_batches_show_every_class_equally_often()
    {
        using var learner = Learn(new BalancedBatches());
        Assert.All(learner.Context.Source.Codes.ToArray().GroupBy(code => code), group => Assert.Equal(s_tail[0], group.Count()));
    }

    [Fact]
    public void A_decoupled_head_is_retrained_by_Adam_on_class_balanced_rows_and_the_backbone_stays()
    {
        const int batch = 40, steps = 3;
        const double rate = 0.01;
        var before = new HeadBefore();
        using var mechanism = new DecoupledHead(new DecoupledHeadOptions { BatchSize = batch, Steps = steps, LearningRate = rate, Restart = false });
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 16, 16)), new LearnerOptions { BatchSize = 32 }, [before, mechanism]);
        int[] rows = [.. Enumerable.Range(0, 2000).Where(row => TestData.Mnist.Train.Codes.Span[row] is 0 or 1)];
        var two = new SubsetSource(TestData.Mnist.Train, rows);
        int[] unequal = [.. Enumerable.Range(0, two.Count).Where(row => two.Codes.Span[row] == 0 || row % 10 == 0)];
        learner.Study(new Experience(0, new SubsetSource(two, unequal)));

        // The same draw: a class by lot, then one of its samples.
        using var scope = NewDisposeScope();
        var context = learner.Context;
        var part = context.Fetch([.. Enumerable.Range(0, context.Source.Count).Select(row => (long)row)]);
        var labels = part.Targets.data<long>().ToArray();
        var rowsOf = Enumerable.Range(0, 2).Select(id => Enumerable.Range(0, labels.Length).Where(row => labels[row] == id).ToArray()).ToArray();
        Assert.True(rowsOf[0].Length > 5 * rowsOf[1].Length);
        var random = new SeededRandom(context.Options.Seed, "decoupled-head/0");
        var features = before.Model!.Forward(Float64Mlp.Rows(part.Inputs)).Features;
        var (theta, slots) = (before.Values!.ToArray(), context.Arena.Slots);
        var (w, b) = (slots.First(slot => slot.Name == "head.weight").Offset, slots.First(slot => slot.Name == "head.bias").Offset);
        var (m, v) = (new double[theta.Length], new double[theta.Length]);
        for (var step = 1; step <= steps; step++)
        {
            var gradient = new double[theta.Length];
            for (var i = 0; i < batch; i++)
            {
                var id = random.Next(2);
                var f = features[rowsOf[id][random.Next(rowsOf[id].Length)]];
                var p = Float64Mlp.Softmax(Enumerable.Range(0, 2).Select(k => theta[b + k] + f.Select((x, j) => x * theta[w + (16 * k) + j]).Sum()));
                for (var k = 0; k < 2; k++)
                {
                    var delta = (p[k] - (k == id ? 1 : 0)) / batch;
                    gradient[b + k] += delta;
                    for (var j = 0; j < 16; j++) gradient[w + (16 * k) + j] += delta * f[j];
                }
            }
            for (var i = w; i < theta.Length; i++)
            {
                m[i] = (0.9 * m[i]) + (0.1 * gradient[i]);
                v[i] = (0.999 * v[i]) + (0.001 * gradient[i] * gradient[i]);
                theta[i] -= rate * (m[i] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, step))) + 1e-8);
            }
        }
        Assert.Equal(theta, TinyProblem.Values(context.Arena.Values), (x, y) => Math.Abs(x - y) < 1e-5);
        Assert.Contains(Enumerable.Range((int)w, 32), i => Math.Abs(theta[i] - before.Values![i]) > 0.9 * rate * steps);
    }

    [Fact]
    public void A_decoupled_head_starts_from_small_normal_weights()
    {
        using var mechanism = new DecoupledHead(new DecoupledHeadOptions { Steps = 1, LearningRate = 1e-9 });
        using var learner = Learn(mechanism);
        var head = TinyProblem.Values(learner.Context.Arena["head.weight"].Of(learner.Context.Arena.Values).flatten());
        Assert.Equal(1280, head.Length);
        Assert.Equal(0, head.Average(), 1e-3); // 3.6 standard errors
        Assert.Equal(0.01, Math.Sqrt(head.Average(x => x * x)), 1e-3); // 5 standard errors
    }

    // Sees the model after the last step, before the head is retrained.
    private sealed class HeadBefore : RetentionMechanism
    {
        public Float64Mlp? Model { get; private set; }

        public double[]? Values { get; private set; }

        public override string Name => "before";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        protected internal override void EndExperience(LearningContext context) =>
            (Model, Values) = (new Float64Mlp(context), TinyProblem.Values(context.Arena.Values));
    }

    // Long tail with a ratio of 100: 600 zeros down to 6 nines.
    private static readonly int[] s_tail = [.. Enumerable.Range(0, 10).Select(c => (int)Math.Round(600 * Math.Pow(100, -c / 9.0)))];

    private static readonly Lazy<double> s_plain = new(() => BalancedAccuracy());

    private static double BalancedAccuracy(params RetentionMechanism[] mechanisms)
    {
        using var learner = Learn(mechanisms);
        // The same number of test samples of each class: plain accuracy is balanced accuracy.
        return Evaluator.Accuracy(learner, TestData.Mnist.Test.Balanced(200));
    }

    private static Learner Learn(params RetentionMechanism[] mechanisms)
    {
        var taken = new int[10];
        var codes = TestData.Mnist.Train.Codes;
        int[] rows = [.. Enumerable.Range(0, codes.Length).Where(row => taken[codes.Span[row]]++ < s_tail[codes.Span[row]])];
        var learner = new Learner(() => new ContinualModel(new Mlp(784, 128)), new LearnerOptions { Epochs = 5, BatchSize = 32 }, mechanisms);
        learner.Learn(new Experience(0, new SubsetSource(TestData.Mnist.Train, rows)), cancellationToken: TestContext.Current.CancellationToken);
        return learner;
    }

    private static (TrainingStep Step, double[][] Logits, long[] Targets) Step(Learner learner)
    {
        var step = new TrainingStep(learner.Context, [0, 5, 10, 100, 200, 300], 0);
        step.Arrange();
        step.Forward(learner.Context.Model);
        return (step, Rows(step.Logits), step.Current.Targets.data<long>().ToArray());
    }

    private static double[][] Rows(Tensor values) =>
        [.. values.detach().contiguous().data<float>().ToArray().Select(x => (double)x).Chunk((int)values.shape[1])];
}
