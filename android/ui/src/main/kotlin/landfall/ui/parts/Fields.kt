package landfall.ui.parts

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.IntrinsicSize
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.text.BasicTextField
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.platform.LocalLayoutDirection
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.input.PasswordVisualTransformation
import androidx.compose.ui.text.input.VisualTransformation
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.LayoutDirection
import androidx.compose.ui.unit.dp
import androidx.compose.runtime.CompositionLocalProvider
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

/** A square that steps a figure or a time. */
@Composable
fun StepKey(icon: String, spoken: String, size: Int, onTap: () -> Unit) {
    Edged(Modifier.size(size.dp).tappable(Shapes.button, onTap = onTap).semantics { contentDescription = spoken }, Shapes.button, false, 2.dp) {
        Icon(icon, Ui.colours.ink, Modifier.align(Alignment.Center), size = if (size >= 60) 26.dp else 22.dp)
    }
}

/** The clock of an arrival: minus and plus around it, the words below. Clocks are not mirrored. */
@Composable
fun WhenField(clock: String, below: String, onMinus: () -> Unit, onPlus: () -> Unit) {
    val words = Ui.words
    val dir = LocalLayoutDirection.current
    CompositionLocalProvider(LocalLayoutDirection provides LayoutDirection.Ltr) {
        Row(Modifier.fillMaxWidth(), verticalAlignment = Alignment.CenterVertically) {
            StepKey("minus", words("when_earlier"), 64, onMinus)
            Column(Modifier.weight(1f), horizontalAlignment = Alignment.CenterHorizontally) {
                Words(clock, Ui.type.total, align = TextAlign.Center)
                CompositionLocalProvider(LocalLayoutDirection provides dir) {
                    Words(below, Ui.type.label, colour = Ui.colours.inkSoft, align = TextAlign.Center)
                }
            }
            StepKey("plus", words("when_later"), 64, onPlus)
        }
    }
}

/** A counted thing: a dash is "not answered", 0 is a real zero; a line below says when the form does not take it. */
@Composable
fun NumberField(label: String, figure: String?, problem: String?, tag: String, onMinus: () -> Unit, onPlus: () -> Unit, onType: () -> Unit) {
    val words = Ui.words
    Column(Modifier.fillMaxWidth().padding(vertical = 8.dp)) {
        Words(label, Ui.type.body)
        Spacer(Modifier.height(8.dp))
        Row(horizontalArrangement = Arrangement.spacedBy(8.dp), verticalAlignment = Alignment.CenterVertically) {
            StepKey("minus", words("number_less", "what" to label), 56, onMinus)
            Edged(
                Modifier.weight(1f).heightIn(min = 56.dp).testTag(tag).tappable(Shapes.choice, onTap = onType)
                    .semantics(mergeDescendants = true) { contentDescription = "$label, ${figure ?: words("number_empty")}" },
                Shapes.choice,
                false,
            ) { Words(figure ?: "–", Ui.type.count, Modifier.align(Alignment.Center), if (figure == null) Ui.colours.inkSoft else Ui.colours.ink) }
            StepKey("plus", words("number_more", "what" to label), 56, onPlus)
        }
        if (problem != null) Problem(problem, Modifier.padding(top = 6.dp))
    }
}

/** The line under a field that the form did not take. */
@Composable
fun Problem(text: String, modifier: Modifier = Modifier) {
    Row(modifier.fillMaxWidth(), verticalAlignment = Alignment.CenterVertically) {
        Icon("warningFill", Ui.colours.high, size = 18.dp)
        Spacer(Modifier.width(8.dp))
        Words(text, Ui.type.label, Modifier.weight(1f))
    }
}

/** One line of typing with the border of what can be tapped. */
@Composable
fun TextBox(value: String, onChange: (String) -> Unit, spoken: String, tag: String, masked: Boolean = false, digits: Boolean = false, lines: Int = 1, hint: String? = null, end: (@Composable () -> Unit)? = null) {
    Edged(Modifier.fillMaxWidth().heightIn(min = 56.dp), Shapes.button, false, 2.dp) {
        Row(Modifier.padding(horizontal = 14.dp, vertical = 8.dp).heightIn(min = 40.dp), verticalAlignment = Alignment.CenterVertically) {
            Box(Modifier.weight(1f)) {
                BasicTextField(
                    value, onChange,
                    Modifier.fillMaxWidth().testTag(tag).semantics { contentDescription = spoken },
                    textStyle = Ui.type.body.copy(color = Ui.colours.ink, textAlign = if (lines == 1) TextAlign.Center else TextAlign.Start),
                    singleLine = lines == 1, minLines = lines, maxLines = maxOf(lines, 1),
                    cursorBrush = SolidColor(Ui.colours.lead),
                    keyboardOptions = KeyboardOptions(autoCorrectEnabled = false, keyboardType = if (digits) KeyboardType.Number else if (masked) KeyboardType.Password else KeyboardType.Text),
                    visualTransformation = if (masked) PasswordVisualTransformation() else VisualTransformation.None,
                )
                if (value.isEmpty() && hint != null) {
                    Words(hint, Ui.type.body, Modifier.fillMaxWidth(), Ui.colours.inkSoft, if (lines == 1) TextAlign.Center else TextAlign.Start)
                }
            }
            end?.invoke()
        }
    }
}

/** The pad is laid out the same in every language; its figures are those of the language. */
@Composable
fun PasscodePad(onKey: (Char) -> Unit, onDelete: () -> Unit, onWords: () -> Unit) {
    val words = Ui.words
    CompositionLocalProvider(LocalLayoutDirection provides LayoutDirection.Ltr) {
        Column(verticalArrangement = Arrangement.spacedBy(10.dp)) {
            for (row in listOf("123", "456", "789")) {
                Row(horizontalArrangement = Arrangement.spacedBy(12.dp)) { for (c in row) PadKey(c, Modifier.weight(1f), onKey) }
            }
            Row(Modifier.height(IntrinsicSize.Max), horizontalArrangement = Arrangement.spacedBy(12.dp)) {
                Box(Modifier.weight(1f).fillMaxHeight().heightIn(min = 48.dp).tappable(Shapes.key, onTap = onWords), contentAlignment = Alignment.Center) {
                    Words(words("unlock_words"), Ui.type.barLabelB, colour = Ui.colours.lead, align = TextAlign.Center)
                }
                PadKey('0', Modifier.weight(1f), onKey)
                Box(
                    Modifier.weight(1f).fillMaxHeight().tappable(Shapes.key, onTap = onDelete).semantics { contentDescription = words("unlock_delete_digit") },
                    contentAlignment = Alignment.Center,
                ) { Icon("backspace", Ui.colours.inkSoft, size = 28.dp) }
            }
        }
    }
}

@Composable
private fun PadKey(c: Char, modifier: Modifier, onKey: (Char) -> Unit) {
    Edged(modifier.heightIn(min = 66.dp).testTag("key-$c").tappable(Shapes.key) { onKey(c) }.semantics(mergeDescendants = true) {}, Shapes.key, false) {
        Words(Ui.words.digits(c.toString()), Ui.type.count, Modifier.align(Alignment.Center))
    }
}

/** A row that opens something: name, value at the end, chevron. */
@Composable
fun OpenRow(label: String, value: String, missing: Boolean, tag: String, onTap: () -> Unit) {
    val stacked = Ui.scale > 1.3f
    Row(
        Modifier.fillMaxWidth().heightIn(min = 56.dp).testTag(tag).tappable(Shapes.chip, onTap = onTap).semantics(mergeDescendants = true) {}.padding(horizontal = 16.dp, vertical = 8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        val valueStyle = if (missing) Ui.type.labelB else Ui.type.label
        val valueColour = if (missing) Ui.colours.high else Ui.colours.inkSoft
        if (stacked) {
            Column(Modifier.weight(1f)) {
                Words(label, Ui.type.body)
                Words(value, valueStyle, colour = valueColour)
            }
        } else {
            Words(label, Ui.type.body, Modifier.weight(1f))
            Spacer(Modifier.width(12.dp))
            Words(value, valueStyle, Modifier.widthIn(max = 170.dp), valueColour, TextAlign.End)
        }
        Spacer(Modifier.width(12.dp))
        Icon("caret", Ui.colours.inkSoft, size = 18.dp)
    }
}

/** A group of rows in a card with a heading. */
@Composable
fun Section(title: String, modifier: Modifier = Modifier, content: @Composable ColumnScope.() -> Unit) {
    Card(modifier) {
        Words(title, Ui.type.head, Modifier.padding(bottom = 4.dp))
        content()
    }
}

/** A bar of the size of a button that only says something, such as a delay. */
@Composable
fun StillBar(text: String, icon: String, tag: String) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 56.dp).testTag(tag).background(Ui.colours.sunk, Shapes.button).border(0.dp, Ui.colours.sunk, Shapes.button)
            .semantics(mergeDescendants = true) {}.padding(12.dp),
        horizontalArrangement = Arrangement.Center,
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Icon(icon, Ui.colours.inkSoft, size = 20.dp)
        Spacer(Modifier.width(12.dp))
        Words(text, Ui.type.head, colour = Ui.colours.inkSoft)
    }
}
