using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

/// <summary>A 4-3-3 network and six samples, in float32 for the library and in float64 by hand for the references.</summary>
internal sealed class TinyProblem
{
    public const int Inputs = 4, Hidden = 3, Classes = 3, Samples = 6;
    public const double LearningRate = 0.1;

    private readonly double[][] _x;

    public TinyProblem(int seed)
    {
        var random = new SeededRandom(seed, "tiny");
        _x = [.. Enumerable.Range(0, Samples).Select(_ =>
            Enumerable.Range(0, Inputs).Select(_ => (double)(float)(random.NextDouble() * 2 - 1)).ToArray())];
        Labels = [.. Enumerable.Range(0, Samples).Select(i => i % Classes)];
    }

    public int[] Labels { get; }

    public Experience Experience(int index, int? task = null) => new(
        index,
        TensorSource.OfClasses(
            tensor(_x.SelectMany(row => row).Select(value => (float)value).ToArray()).view(Samples, Inputs),
            Labels, Label.Numbers(0, Classes)),
        task);

    // One full batch per step, so that the order of samples does not matter.
    public static Learner Learner(int steps, params RetentionMechanism[] mechanisms) =>
        Learner(LearningRate, steps, mechanisms);

    public static Learner Learner(double rate, int steps, params RetentionMechanism[] mechanisms) => new(
        () => new ContinualModel(new Mlp(Inputs, Hidden)),
        new LearnerOptions
        {
            Scenario = Scenario.DomainIncremental,
            BatchSize = Samples,
            Epochs = steps,
            Seed = 3,
            Optimizer = new SgdOptions { LearningRate = rate },
        },
        mechanisms);

    public double[] Logits(double[] theta, int sample)
    {
        var hidden = Linear(theta, 0, _x[sample], Hidden).Select(value => Math.Max(value, 0)).ToArray();
        return Linear(theta, Hidden * (Inputs + 1), hidden, (theta.Length - Hidden * (Inputs + 1)) / (Hidden + 1));
    }

    public double[] Probabilities(double[] theta, int sample)
    {
        var exponentials = Logits(theta, sample).Select(Math.Exp).ToArray();
        return [.. exponentials.Select(value => value / exponentials.Sum())];
    }

    public double Loss(double[] theta, int sample, int label) => -Math.Log(Probabilities(theta, sample)[label]);

    public double MeanLoss(double[] theta) =>
        Enumerable.Range(0, Samples).Average(sample => Loss(theta, sample, Labels[sample]));

    /// <summary>Central differences in float64: good to about nine digits.</summary>
    public static double[] Gradient(Func<double[], double> function, double[] theta)
    {
        const double step = 1e-6;
        var gradient = new double[theta.Length];
        for (var k = 0; k < theta.Length; k++)
        {
            var (up, down) = ((double[])theta.Clone(), (double[])theta.Clone());
            (up[k], down[k]) = (up[k] + step, down[k] - step);
            gradient[k] = (function(up) - function(down)) / (2 * step);
        }
        return gradient;
    }

    public static double[] Values(Tensor flat) => [.. flat.data<float>().Select(value => (double)value)];

    public static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        var scale = expected.Max(Math.Abs);
        Assert.True(scale > 0, "the reference is zero: nothing is tested");
        for (var k = 0; k < expected.Count; k++)
            Assert.True(Math.Abs(expected[k] - actual[k]) <= tolerance * scale,
                $"[{k}]: {actual[k]:g9}, expected {expected[k]:g9} within {tolerance:g2} of {scale:g3}");
    }

    private static double[] Linear(double[] theta, int offset, double[] input, int outputs) =>
    [
        .. Enumerable.Range(0, outputs).Select(o =>
            theta[offset + (outputs * input.Length) + o]
            + Enumerable.Range(0, input.Length).Sum(i => theta[offset + (o * input.Length) + i] * input[i])),
    ];
}

/// <summary>Watches a learner from inside: parameters at the start, gradients before and after projection.</summary>
internal sealed class Spy(string name = "spy") : RetentionMechanism
{
    public override string Name => name;

    public override Seams Seams => Seams.Projection;

    public override long MemoryBytes => 0;

    public List<double[]> Starts { get; } = [];

    public List<(double[] Values, double[] Gradient)> Steps { get; } = [];

    protected internal override void BeginExperience(LearningContext context) =>
        Starts.Add(TinyProblem.Values(context.Arena.Values));

    protected internal override void ProjectGradient(TrainingStep step) => Steps.Add(
        (TinyProblem.Values(step.Context.Arena.Values), TinyProblem.Values(step.Context.Arena.Gradient)));
}

/// <summary>Learning that ends when the test run is cancelled.</summary>
internal static class Studying
{
    public static LearningResult Study(this Learner learner, Experience experience) =>
        learner.Learn(experience, null, TestContext.Current.CancellationToken);
}
