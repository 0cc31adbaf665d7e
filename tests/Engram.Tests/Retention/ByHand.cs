using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

/// <summary>An MLP of two hidden layers under a linear head, in float64 and by hand: what formulas are held against.</summary>
internal sealed class Float64Mlp(LearningContext context)
{
    private readonly IReadOnlyList<ParameterSlot> _slots = context.Arena.Slots;
    private readonly double[] _theta = TinyProblem.Values(context.Arena.Values);

    public static double[][] Rows(Tensor values) =>
        [.. TinyProblem.Values(values.detach().to(ScalarType.Float32).flatten(1).contiguous()).Chunk((int)(values.numel() / values.shape[0]))];

    public static double[] Softmax(IEnumerable<double> logits, double temperature = 1)
    {
        var z = logits.Select(value => value / temperature).ToArray();
        var odds = Array.ConvertAll(z, value => Math.Exp(value - z.Max()));
        return Array.ConvertAll(odds, value => value / odds.Sum());
    }

    public (double[][] First, double[][] Features, double[][] Logits) Forward(double[][] inputs)
    {
        var first = Relu(Linear("backbone.fc1", inputs));
        var features = Relu(Linear("backbone.fc2", first));
        return (first, features, Linear("head", features));
    }

    /// <summary>The gradient in the arena's layout of a loss whose gradient by logits, and by features directly, is given.</summary>
    public double[] Gradient(double[][] inputs, double[][] byLogits, double[][]? byFeatures = null)
    {
        var (first, features, _) = Forward(inputs);
        var gradient = new double[_theta.Length];
        var delta = Back("head", byLogits, features, gradient);
        if (byFeatures is not null)
            for (var n = 0; n < delta.Length; n++)
                for (var j = 0; j < delta[n].Length; j++) delta[n][j] += byFeatures[n][j];
        delta = Back("backbone.fc2", Masked(delta, features), first, gradient);
        Back("backbone.fc1", Masked(delta, first), inputs, gradient);
        return gradient;
    }

    private (long Weight, long Bias, int Outputs, int Inputs) Layer(string name)
    {
        var weight = _slots.First(slot => slot.Name == $"{name}.weight");
        return (weight.Offset, _slots.First(slot => slot.Name == $"{name}.bias").Offset, (int)weight.Shape[0], (int)weight.Shape[1]);
    }

    private double[][] Linear(string name, double[][] inputs)
    {
        var (weight, bias, outputs, width) = Layer(name);
        return Array.ConvertAll(inputs, x =>
        {
            var y = new double[outputs];
            for (var o = 0; o < outputs; o++)
            {
                y[o] = _theta[bias + o];
                for (var i = 0; i < width; i++) y[o] += _theta[weight + (o * width) + i] * x[i];
            }
            return y;
        });
    }

    // Writes a layer's gradient and returns that of its inputs.
    private double[][] Back(string name, double[][] delta, double[][] inputs, double[] gradient)
    {
        var (weight, bias, outputs, width) = Layer(name);
        return [.. delta.Select((d, n) =>
        {
            var byInput = new double[width];
            for (var o = 0; o < outputs; o++)
            {
                gradient[bias + o] += d[o];
                for (var i = 0; i < width; i++)
                {
                    gradient[weight + (o * width) + i] += d[o] * inputs[n][i];
                    byInput[i] += d[o] * _theta[weight + (o * width) + i];
                }
            }
            return byInput;
        })];
    }

    private static double[][] Relu(double[][] rows) => Array.ConvertAll(rows, row => Array.ConvertAll(row, value => Math.Max(value, 0)));

    private static double[][] Masked(double[][] delta, double[][] hidden) =>
        [.. delta.Select((d, n) => d.Select((value, j) => hidden[n][j] > 0 ? value : 0).ToArray())];
}

/// <summary>
/// Holds the gradient of one step against the one by hand. By then the model has moved away from what it was when the experience
/// began, which is its teacher: in the first step the two agree, and nothing of a distillation shows.
/// </summary>
/// <param name="experience">Index of the experience.</param>
/// <param name="byLogits">The gradient of the loss by the logits of every row.</param>
/// <param name="byFeatures">What the loss adds by features directly; null for nothing.</param>
internal sealed class StepByHand(
    int experience, Func<StepByHand.Seen, double[][]> byLogits, Func<StepByHand.Seen, double[][]>? byFeatures = null) : RetentionMechanism
{
    private const int Number = 3;
    private Float64Mlp? _teacher;

    /// <summary>What there is to compute with, in float64, a row for each sample of the step.</summary>
    public sealed record Seen(
        TrainingStep Step, int[] Labels, double[][] Logits, double[][] Features, double[][] Teacher, double[][] TeacherFeatures)
    {
        public int Count => Labels.Length;

        /// <summary>(p − y) / n of the mean cross-entropy of all rows.</summary>
        public double[][] CrossEntropy() =>
            [.. Logits.Select((z, n) => Float64Mlp.Softmax(z).Select((p, k) => (p - (k == Labels[n] ? 1 : 0)) / Count).ToArray())];
    }

    public bool Checked { get; private set; }

    public override string Name => "by-hand";

    public override Seams Seams => Seams.None;

    public override long MemoryBytes => 0;

    protected internal override void AddGradient(TrainingStep step)
    {
        if (step.Context.Experience.Index != experience) return;
        if (step.Number == 0) _teacher = new Float64Mlp(step.Context);
        if (step.Number != Number) return;
        var (student, inputs) = (new Float64Mlp(step.Context), Float64Mlp.Rows(step.Inputs));
        var (now, then) = (student.Forward(inputs), _teacher!.Forward(inputs));
        int[] labels = [.. step.Parts.SelectMany(part => part.Targets.data<long>().ToArray()).Select(id => (int)id)];
        var seen = new Seen(step, labels, now.Logits, now.Features, then.Logits, then.Features);
        TinyProblem.AssertClose(
            student.Gradient(inputs, byLogits(seen), byFeatures?.Invoke(seen)), TinyProblem.Values(step.Context.Arena.Gradient), 1e-4);
        Checked = true;
    }
}
